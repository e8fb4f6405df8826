import { z } from "zod";
import { annotatorSchema } from "../contracts/label.ts";

const id = z.string().regex(/^[0-9a-f]{64}$/);

/** What somebody who votes gets to read of one of two trajectories. */
const sideSchema = z.object({
  trajectory_id: id,
  /** Agent steps. */
  steps: z.int().nonnegative(),
  /** The run as plain text, redacted like the stored document; long ones are shortened in the middle. */
  text: z.string(),
});

/**
 * Two attempts at one task, as they go to a voting service. Which is left and which right is drawn, so that neither
 * side means anything, and stays as it was when the pair was first made.
 */
export const pairSchema = z.object({
  schema: z.literal("gymline.pair.v1"),
  pair_id: id,
  task_id: z.string(),
  task: z.string(),
  left: sideSchema,
  right: sideSchema,
});
export type Pair = Readonly<z.infer<typeof pairSchema>>;

/** What the store keeps of a pair: who is on which side. */
export const pairRecordSchema = z.object({
  schema: z.literal("gymline.pair-record.v1"),
  pair_id: id,
  task_id: z.string(),
  left_id: id,
  right_id: id,
});
export type PairRecord = Readonly<z.infer<typeof pairRecordSchema>>;

/** One vote. Keyed by pair and voter; a later one replaces it. */
export const voteSchema = z.object({
  schema: z.literal("gymline.vote.v1"),
  pair_id: id,
  /** Stands in keys, so lower-case letters, digits, `.`, `_` and `-` only. */
  voter: annotatorSchema,
  choice: z.enum(["left", "right", "tie", "skip"]),
  /** ISO 8601. */
  at: z.string().refine((text) => !Number.isNaN(Date.parse(text)), "not an ISO 8601 time"),
  comment: z.string().max(10_000).optional(),
  /** The trajectory that stood left when the vote was cast, where the service says so. */
  left_id: id.optional(),
});
export type Vote = Readonly<z.infer<typeof voteSchema>>;

/** The choice as the record's sides mean it; undefined where the vote was cast on other trajectories. */
export function choiceFor(record: PairRecord, vote: Vote): Vote["choice"] | undefined {
  if (vote.left_id === undefined || vote.left_id === record.left_id) return vote.choice;
  if (vote.left_id !== record.right_id) return undefined;
  return vote.choice === "left" ? "right" : vote.choice === "right" ? "left" : vote.choice;
}
