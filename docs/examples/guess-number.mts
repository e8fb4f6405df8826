/**
 * An environment of one's own: guess a number. `node guess-number.mts` checks it.
 * What makes it one: a state per episode, all chance from `random`, tools with a zod schema, and a judge.
 */
import { fileURLToPath } from "node:url";
import {
  type CheckReport,
  checkEnv,
  defineEnv,
  defineTool,
  type EnvRegistration,
  EnvTaskError,
} from "gymline";
import { z } from "zod";

/** What the environment reads of a task; it stands under `guess`. */
const taskSchema = z.object({ up_to: z.int().min(2).max(1_000_000).default(100) });

const optionsSchema = z.strictObject({ maxGuesses: z.int().min(1).default(10) });

interface Game {
  readonly secret: number;
  readonly upTo: number;
  guessed: boolean;
}

const guess = defineTool<Game, z.ZodObject<{ number: z.ZodInt }>>({
  name: "guess",
  description: "Guesses the number. Answers whether the secret is higher or lower.",
  params: z.object({ number: z.int() }),
  run: ({ number }, { state }) => {
    // What a tool throws the agent reads as an error; the episode goes on.
    if (number < 1 || number > state.upTo) throw new RangeError(`guess from 1 to ${state.upTo}`);
    if (number !== state.secret) return number < state.secret ? "higher" : "lower";
    state.guessed = true;
    return { output: "That is it.", terminated: true };
  },
});

export const guessNumber: EnvRegistration<z.infer<typeof optionsSchema>> = {
  id: "examples/guess-number-v1",
  domain: "generic",
  description: "Guess a number with as few questions as can be.",
  options: optionsSchema,
  create: ({ id, options }) =>
    defineEnv<Game>({
      id,
      domain: "generic",
      tools: [guess],
      maxSteps: options.maxGuesses,
      begin: ({ task, random }) => {
        const read = taskSchema.safeParse(task["guess"] ?? {});
        if (!read.success)
          throw new EnvTaskError("guess.up_to must be a whole number from 2", task.id ?? null);
        const upTo = read.data.up_to;
        return {
          state: { secret: 1 + random.int(upTo), upTo, guessed: false },
          observation: `I think of a number from 1 to ${upTo}.`,
        };
      },
      judge: ({ guessed }) => ({ success: guessed, score: guessed ? 1 : 0 }),
    }),
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { ok, findings } = await checkGuessNumber();
  for (const { check, verdict, detail } of findings) {
    process.stdout.write(`${verdict.padEnd(8)}${check}${detail === "" ? "" : `: ${detail}`}\n`);
  }
  process.exitCode = ok ? 0 : 1;
}

export function checkGuessNumber(): Promise<CheckReport> {
  const make = () => guessNumber.create({ id: guessNumber.id, options: { maxGuesses: 10 }, ports: {} });
  return checkEnv(make, { envTools: [guess] });
}
