import type { CallScores, RuleScore } from "./rule-result.ts";
import type { PlacedCall } from "./rule-step.ts";

/** What the rules say of a step while the run goes on. */
export interface TrackedStep {
  /** One for each call. */
  readonly scores: readonly CallScores[];
  /** Changes of earlier steps that turn out to be worse than they seemed. */
  readonly broken: readonly { readonly change: PlacedCall; readonly score: RuleScore }[];
}

/** The rules of one run, step by step. What a step costs depends on its own size and not on how many came before. */
export interface RuleTracker {
  /** `calls`: those of the next step, with their places in the run. */
  step(calls: readonly PlacedCall[]): TrackedStep;
}
