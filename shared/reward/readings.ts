import type { ModelScores } from "./step-score.ts";

/** What the critic says: its value before the first and after each step, as a chance of success in [0, 1]. */
export interface CriticReading {
  readonly version: string;
  readonly initial: number;
  /** One value for each agent step. */
  readonly values: readonly number[];
}

/** What people said, averaged over them; all scores in [0, 1]. */
export interface HumanReading {
  readonly annotators: number;
  readonly score: number;
  /** By number of the step. */
  readonly steps: ReadonlyMap<number, number>;
  /** By rubric id. */
  readonly rubrics: ReadonlyMap<string, number>;
}

/** What a model as judge said, by step; null, or a shorter list, where a step has no scores. */
export interface ModelReading {
  readonly judge: string;
  readonly model: string;
  readonly samples: number;
  readonly scores: readonly (ModelScores | null)[];
}

/** How many steps runs of the same task, else of the same agent or domain, take: their median. */
export interface StepReference {
  readonly steps: number;
  readonly of: "task" | "agent" | "domain" | "builtin" | "given";
  /** How many runs it rests on; 0 where that is not known. */
  readonly n: number;
}

/** A fitted curve from what a layer says to what people say; monotone, from and to [0, 1]. */
export interface Calibration {
  readonly version: string;
  readonly layer: "total" | "process" | "model" | "critic";
  readonly apply: (score: number) => number;
}
