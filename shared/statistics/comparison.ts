import type { Alternative } from "./distributions.ts";
import type { Defined, LevelOption, PMethod, PValue, Undefined, WhyUndefined } from "./result.ts";

export type TestName =
  | "welch_t"
  | "student_t"
  | "paired_t"
  | "mann_whitney"
  | "wilcoxon_signed_rank"
  | "mcnemar"
  | "two_proportions"
  | "fisher";

/**
 * What a test of "no difference" says. `method` is how the p-value was found, `df` the degrees of freedom of a t or
 * chi-square statistic. Without a p-value there is no statistic either.
 */
export type Test = {
  readonly name: TestName;
  readonly alternative: Alternative;
  readonly statistic: number | null;
  readonly df: number | null;
} & PValue;

/** What `value` is: each is positive where the first side is higher. */
export type EffectName = "mean_difference" | "rank_biserial" | "risk_difference";

/**
 * Two sides compared: the effect with its interval (always two-sided) and the test. `n` is what the test rests on,
 * pairs or the observations of both sides; `sizes` are the observations of each side.
 */
export type Comparison =
  | (Defined & {
      readonly effect: EffectName;
      readonly sizes: readonly [number, number];
      readonly test: Test;
    })
  | Undefined;

export interface ComparisonOptions extends LevelOption {
  /** Two-sided unless given. */
  readonly alternative?: Alternative;
}

/** The test that could not be made, and why. */
export function noTest(of: {
  readonly name: TestName;
  readonly alternative: Alternative;
  readonly method: PMethod;
  readonly why: WhyUndefined;
}): Test {
  return { ...of, statistic: null, df: null, p: null };
}
