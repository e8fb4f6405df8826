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
  /** Weighted mean of the layers. Null for a step that nothing scored; such steps do not count in `process`. */
  total: score.nullable(),
  /** What each layer says of the step; null where it says nothing or weighs nothing. */
  layers: z.object({
    rules: score.nullable(),
    model: score.nullable(),
    critic: score.nullable(),
    human: score.nullable(),
  }),
  /** Change of the critic's value by this step, in [-1, 1]. */
  credit: z.number().min(-1).max(1).optional(),
  rubrics: z.record(z.string(), score),
  calls: z.array(callScoreSchema),
  reasons: z.array(reasonSchema),
});

const signalScoreSchema = z.object({
  code: z.string(),
  /** Null where the signal does not apply. */
  score: score.nullable(),
  weight: z.number().nonnegative(),
  message: z.string(),
});

const layer = z.enum(["outcome", "rules", "signals", "model", "critic", "human", "efficiency"]);

/**
 * Score of one trajectory. All scores in [0, 1]; totals and layer scores have four decimal places, rubric
 * and rule scores are not rounded. A rubric of a step is the mean over the calls it applies to.
 */
export const scoreDocumentSchema = z.object({
  schema: z.literal("gymline.score.v1"),
  /** Weighted mean of `parts`, those that are not people's calibrated where `calibration` says so; 0 without parts. */
  total: score,
  outcome: score.nullable(),
  /** Mean of the step totals. */
  process: score.nullable(),
  /** Mean of the model layer over the steps that a model scored. */
  model: score.nullable(),
  efficiency: score.nullable(),
  /** Weighted mean of `signal_scores`. */
  signals: score.nullable(),
  /** The critic's chance of success after the last step. */
  critic: score.nullable(),
  /** Mean over the people who labelled it. */
  human: score.nullable(),
  step_count: z.int().nonnegative(),
  /** What the total rests on. `rules`, `model`, `critic` and `human` may also stand for the steps alone. */
  layers: z.array(layer),
  /** The terms of the total, before calibration, in their order. */
  parts: z.array(
    z.object({
      part: z.enum(["outcome", "process", "efficiency", "signals", "critic", "human"]),
      value: score,
      weight: z.number(),
    }),
  ),
  signal_scores: z.array(signalScoreSchema),
  /** The model layer's source, where there is one. */
  judge: z
    .object({
      judge: z.string(),
      model: z.string(),
      /** Agent steps that it scored. */
      scored: z.int().nonnegative(),
      samples: z.int().positive(),
    })
    .optional(),
  critic_model: z.object({ version: z.string(), initial: score }).optional(),
  annotators: z.int().positive().optional(),
  /** Which calibration was applied, and to what. */
  calibration: z
    .object({ version: z.string(), layer: z.enum(["total", "process", "model", "critic"]) })
    .optional(),
  /** What the figures are without people and without calibration, where there is either. */
  automatic: z
    .object({ total: score, process: score.nullable(), model: score.nullable(), critic: score.nullable() })
    .optional(),
  /** What efficiency is measured against. */
  reference: z
    .object({
      steps: z.number().positive(),
      of: z.enum(["task", "agent", "domain", "builtin", "given"]),
      n: z.int().nonnegative(),
    })
    .optional(),
  steps: z.array(stepScoreSchema),
});

export type ScoreDocument = z.infer<typeof scoreDocumentSchema>;
export type StepScore = z.infer<typeof stepScoreSchema>;
export type CallScore = z.infer<typeof callScoreSchema>;
export type ScoreReason = z.infer<typeof reasonSchema>;
export type ScoreLayer = ScoreDocument["layers"][number];
export type SignalScore = Readonly<ScoreDocument["signal_scores"][number]>;
