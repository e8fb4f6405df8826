import type { TokenUsage } from "../ports/chat-model.ts";
import type { Agent, AgentCall, AgentTurn, EpisodeStart, Observation, TurnTokens } from "./agent.ts";
import { AgentError } from "./agent.ts";

/** A turn as it is written down; what is left out follows. */
export interface ScriptedTurn {
  readonly message?: string;
  readonly reasoning?: string;
  /** Ids are `call_<turn>_<n>` where none is given. */
  readonly calls?: readonly (Omit<AgentCall, "id"> & { readonly id?: string })[];
  readonly usage?: TokenUsage;
  readonly costUsd?: number;
  readonly tokens?: TurnTokens;
  readonly stop?: AgentTurn["stop"];
}

/** What the script knows when it answers. */
export interface ScriptMoment {
  /** From 0. */
  readonly turn: number;
  readonly observations: readonly Observation[];
  readonly episode: EpisodeStart;
}

/** Turns in order, or a function that gives each; undefined: the script has ended. */
export type Script =
  | readonly ScriptedTurn[]
  | ((moment: ScriptMoment) => ScriptedTurn | undefined | Promise<ScriptedTurn | undefined>);

/**
 * An agent that does what is written: for tests, demonstrations, and rolling out a known solution. Where the script has
 * ended and the episode has not, it raises an `AgentError` (`output`).
 */
export function scriptedAgent(
  script: Script,
  options: { readonly name?: string; readonly version?: string; readonly systemPrompt?: string } = {},
): Agent {
  const { name = "scripted", version = "1", systemPrompt } = options;
  return {
    name,
    version,
    model: null,
    begin: (episode) => {
      let turns = 0;
      return {
        systemPrompt: systemPrompt ?? episode.instructions ?? null,
        act: async (observations, signal) => {
          signal?.throwIfAborted();
          const turn = turns;
          turns += 1;
          const scripted =
            typeof script === "function" ? await script({ turn, observations, episode }) : script[turn];
          if (scripted === undefined) {
            throw new AgentError(`the script has ended after ${turn} turns`, { reason: "output" });
          }
          return complete(scripted, turn);
        },
      };
    },
  };
}

function complete({ message = "", calls = [], stop, ...rest }: ScriptedTurn, turn: number): AgentTurn {
  return {
    ...rest,
    message,
    calls: calls.map((call, index) => ({ ...call, id: call.id ?? `call_${turn}_${index + 1}` })),
    stop: stop ?? (calls.length > 0 ? "calls" : "end"),
  };
}
