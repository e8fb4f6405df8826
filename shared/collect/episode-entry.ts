import { z } from "zod";

const count = z.int().nonnegative();

/** A line of a run's ledger: how one episode went. */
export const episodeEntrySchema = z.strictObject({
  schema: z.literal("gymline.episode.v1"),
  run: z.string(),
  id: z.string(),
  task: z.string(),
  /** From 0. */
  attempt: count,
  seed: count,
  /** `failed`: environment, agent or provider were at fault, and the episode says nothing of what the agent can do. */
  kind: z.enum(["done", "failed"]),
  /** Null where the task has no criteria, and where the episode failed. */
  success: z.boolean().nullable(),
  score: z.number().nullable(),
  /** Sum of the rewards of all steps. */
  reward: z.number(),
  /** Answers of the agent. */
  turns: count,
  /** Steps of the environment. */
  steps: count,
  /** Actions that the environment calls unsafe or forbidden; absent where what ran the agent does not say. */
  violations: count.exactOptional(),
  /** How it ended, as the trajectory's outcome has it: `terminated`, `max_turns`, `timeout`, `agent_error:budget`… */
  stop: z.string(),
  tokens: z.strictObject({ input: count, cacheRead: count, cacheWrite: count, output: count }).nullable(),
  /** US dollars, where prices are known. */
  cost_usd: z.number().nullable(),
  /** What was dropped, below the drop folder; null where there was nothing to drop. */
  file: z.string().nullable(),
  /** Of a failed episode. */
  error: z.strictObject({ name: z.string(), message: z.string() }).nullable(),
  started_at: z.iso.datetime(),
  seconds: z.number().nonnegative(),
});

export type EpisodeEntry = Readonly<z.infer<typeof episodeEntrySchema>>;
export type TokenCounts = NonNullable<EpisodeEntry["tokens"]>;
