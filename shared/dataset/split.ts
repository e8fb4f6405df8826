import { createHash } from "node:crypto";
import { z } from "zod";

/** Shares of the splits; they add up to 1. A share of 0 leaves the split out. */
export const splitSchema = z
  .strictObject({
    train: z.number().min(0).max(1).default(0.9),
    validation: z.number().min(0).max(1).default(0.1),
    test: z.number().min(0).max(1).default(0),
    seed: z.int().default(42),
  })
  .refine(({ train, validation, test }) => Math.abs(train + validation + test - 1) < 1e-9, {
    message: "the shares of train, validation and test must add up to 1",
  });

export type SplitConfig = z.infer<typeof splitSchema>;
export type SplitName = "train" | "validation" | "test";

/** In the order in which files and reports list them. */
export const SPLIT_NAMES: readonly SplitName[] = ["train", "validation", "test"];

/**
 * The split a task belongs to: a hash of seed and task, so all attempts at one task stand in one split, whatever
 * else the set holds, and a task stays where it is when the set grows.
 */
export function splitOf(taskKey: string, config: SplitConfig): SplitName {
  const digest = createHash("sha256").update(`${config.seed}\n${taskKey}`).digest();
  const point = digest.readUIntBE(0, 6) / 2 ** 48;
  const names = (["train", "validation", "test"] as const).filter((name) => config[name] > 0);
  let upTo = 0;
  for (const name of names) {
    upTo += config[name];
    if (point < upTo) return name;
  }
  return names.at(-1) ?? "train";
}
