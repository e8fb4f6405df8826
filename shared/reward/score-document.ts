import { z } from "zod";

const score = z.number().min(0).max(1);

const callScoreSchema = z.object({
  /** Name of the tool, or "(unnamed tool)" where the log has none that looks like a name. */
  tool: z.string(),
  redundancy: score,
  regression: score,
  /** Null where the rule does not apply to the call. */
  info_utilization: score.nullable(),
  /** Weighted mean of the call's rule rubrics; null if none applies. */
  total: score.nullable(),
});

const reasonSchema = z.object({
  /** Number of the call within its step, from 0. */
  call: z.int().nonnegative(),
  code: z.enum([
    "repeated_read",
    "repeated_call",
    "reverted_edit",
    "restored_content",
    "undone_edit",
    "tests_broken",
    "unused_information",
  ]),
  message: z.string(),
  penalty: score,
});

const stepScoreSchema = z.object({
  index: z.int().nonnegative(),
  /** Null for a step that nothing scored; such steps do not count in `process`. */
  total: score.nullable(),
  rubrics: z.record(z.string(), score),
  calls: z.array(callScoreSchema),
  reasons: z.array(reasonSchema),
});

/**
 * Score of one trajectory. All scores in [0, 1]; totals and layer scores have four decimal places, rubric
 * and rule scores are not rounded. A rubric of a step is the mean over the calls it applies to.
 */
export const scoreDocumentSchema = z.object({
  schema: z.literal("gymline.score.v1"),
  /** Weighted mean of the layers in `layers`; 0 where there is none. */
  total: score,
  outcome: score.nullable(),
  process: score.nullable(),
  efficiency: score.nullable(),
  step_count: z.int().nonnegative(),
  /** What the total rests on. `rules` and `model` together make up the process score. */
  layers: z.array(z.enum(["outcome", "rules", "model", "efficiency"])),
  steps: z.array(stepScoreSchema),
});

export type ScoreDocument = z.infer<typeof scoreDocumentSchema>;
export type StepScore = z.infer<typeof stepScoreSchema>;
export type CallScore = z.infer<typeof callScoreSchema>;
export type ScoreReason = z.infer<typeof reasonSchema>;
export type ScoreLayer = ScoreDocument["layers"][number];
