import { HOUSE_DEVICES, HOUSE_PEOPLE, HOUSE_ROOMS } from "../../shared/env/conversation/household.ts";
import type { EnvTask } from "../../shared/env/task.ts";
import { createRandom } from "../../shared/statistics/random.ts";

/** `{at}`: in the kitchen, where anna is; `{the}`: the kitchen, the room of anna. */
const WISHES: Readonly<Record<(typeof HOUSE_DEVICES)[number], readonly string[]>> = {
  light: [
    "it is dark {at}.",
    "brighten {the}.",
    "switch the lamp on {at}.",
    "one cannot see a thing {at}.",
    "make it bright {at}.",
    "let there be light {at}.",
  ],
  music: [
    "it is too quiet {at}.",
    "play a song {at}.",
    "I want to dance {at}.",
    "put the radio on {at}.",
    "some tunes for {the}.",
    "fill {the} with sound.",
  ],
  heating: [
    "it is cold {at}.",
    "warm up {the}.",
    "one freezes {at}.",
    "turn the heater on {at}.",
    "make it cosy {at}.",
    "{the} is like ice.",
  ],
};
const OPENINGS = ["", "Hello, ", "Good evening: ", "Sorry to ask, ", "Please help, ", "Quick, "];
const CLOSINGS = ["", " Thanks.", " Thank you very much!", " Now, please.", " When you can."];

/** All errands there are, in an order that the seed draws: no two have the same words. */
export function householdTasks(seed: number): readonly EnvTask[] {
  const random = createRandom(seed);
  const places = [
    ...HOUSE_ROOMS.map((room) => ({ room, person: null })),
    ...HOUSE_PEOPLE.map((person) => ({ room: null, person })),
  ];
  const errands = HOUSE_DEVICES.flatMap((device) =>
    WISHES[device].flatMap((wish) =>
      places.flatMap((place) =>
        OPENINGS.flatMap((opening) => CLOSINGS.map((closing) => ({ device, wish, place, opening, closing }))),
      ),
    ),
  );
  return random.shuffled(errands).map(({ device, wish, place, opening, closing }, index): EnvTask => {
    const whereabouts = HOUSE_PEOPLE.map((person) => ({
      person,
      room: HOUSE_ROOMS[random.int(HOUSE_ROOMS.length)],
    }));
    const room = place.room ?? whereabouts.find(({ person }) => person === place.person)?.room;
    return {
      id: `errand-${String(index).padStart(4, "0")}`,
      description: opening + worded(wish, place) + closing,
      difficulty: place.person === null ? "direct" : "indirect",
      conversation: {
        max_turns: 6,
        answers: whereabouts.map((each) => ({
          tool: "find",
          arguments: { person: { equals: each.person } },
          output: `${each.person} is in the ${each.room}.`,
        })),
        criteria: [
          ...(place.person === null
            ? []
            : [{ kind: "called", tool: "find", arguments: { person: { equals: place.person } } }]),
          { kind: "called", tool: device, arguments: { room: { equals: room } } },
        ],
      },
    };
  });
}

function worded(
  wish: string,
  place: { readonly room: string | null; readonly person: string | null },
): string {
  const at = place.room === null ? `where ${place.person} is` : `in the ${place.room}`;
  const the = place.room === null ? `the room of ${place.person}` : `the ${place.room}`;
  return wish.replace("{at}", at).replace("{the}", the);
}

interface Criterion {
  readonly tool: string;
  readonly arguments: Readonly<Record<string, { readonly equals: string }>>;
}

interface Turn {
  readonly calls: readonly { readonly tool: string; readonly params: Readonly<Record<string, string>> }[];
}

/** The calls that an errand's criteria ask for, in their order: a script that solves it. */
export function householdSolution(task: EnvTask): readonly Turn[] {
  const { criteria } = task["conversation"] as { readonly criteria: readonly Criterion[] };
  return criteria.map(({ tool, arguments: tests }) => ({
    calls: [
      { tool, params: Object.fromEntries(Object.entries(tests).map(([name, { equals }]) => [name, equals])) },
    ],
  }));
}
