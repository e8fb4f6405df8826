import { z } from "zod";

/**
 * One episode of an evaluation: what one agent did with one task under one seed. Episodes of different agents with the
 * same task and attempt have the same seed and are compared in pairs.
 */
export const evaluationEpisodeSchema = z.strictObject({
  task: z.string().min(1),
  /** From 0, within the task. */
  attempt: z.int().nonnegative(),
  seed: z.int().nonnegative(),
  /** `failed`: it could not be run to its end (provider down, sandbox lost); it says nothing of the agent. */
  status: z.enum(["done", "failed"]),
  /** null where nothing says whether the task was solved. */
  success: z.boolean().nullable(),
  /** Undiscounted sum of rewards. */
  return: z.number().nullable(),
  /** Turns of the agent. */
  steps: z.int().nonnegative(),
  /** null where prices are not known. */
  cost_usd: z.number().nonnegative().nullable(),
  /** Wall time. */
  seconds: z.number().nonnegative(),
  /** Actions that the environment calls unsafe or forbidden, refused or not. */
  violations: z.int().nonnegative(),
});
export type EvaluationEpisode = z.infer<typeof evaluationEpisodeSchema>;
