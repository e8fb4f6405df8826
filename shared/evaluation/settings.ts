import type { Correction, Evaluation, EvaluationMetric, PairedTest } from "../contracts/evaluation.ts";
import { levelOf } from "../statistics/inputs.ts";

/** How agents are compared. */
export interface ComparisonSettings {
  /** What agents are ranked by. `success` unless given. */
  readonly metric?: EvaluationMetric;
  /** Confidence level; differences are significant at 1 − level. 0.95 unless given. */
  readonly level?: number;
  /** Over all pairs of agents, for each metric by itself. `holm` unless given. */
  readonly correction?: Correction;
  /** For metrics that are no verdicts, and verdicts on several attempts. `sign_flip` unless given. */
  readonly test?: PairedTest;
  /** Of resampling. 42 unless given. */
  readonly seed?: number;
  /** 2000 unless given. */
  readonly resamples?: number;
  /** Share of an agent's planned episodes that may have failed or be missing. 0.05 unless given. */
  readonly maxFailedShare?: number;
}

/** The settings with their defaults, as they are stored. @throws StatisticsInputError */
export function completeSettings(given: ComparisonSettings): Evaluation["settings"] {
  return {
    metric: given.metric ?? "success",
    level: levelOf(given),
    correction: given.correction ?? "holm",
    test: given.test ?? "sign_flip",
    resamples: given.resamples ?? 2000,
    seed: given.seed ?? 42,
    max_failed_share: given.maxFailedShare ?? 0.05,
  };
}
