import { type Comparison, noTest, type TestName } from "./comparison.ts";
import { type Alternative, tCritical, tP } from "./distributions.ts";
import { type IntervalMethod, noInterval, type WhyUndefined } from "./result.ts";

/** What a t test of a mean difference needs: the difference, its standard error and the degrees of freedom. */
interface MeanDifference {
  readonly value: number;
  readonly error: number;
  readonly df: number;
}

/** What stands around every t test of a mean difference. */
export interface TTestFrame {
  readonly name: TestName;
  readonly intervalMethod: IntervalMethod;
  readonly n: number;
  readonly sizes: readonly [number, number];
  readonly level: number;
  readonly alternative: Alternative;
  /** The difference under the null hypothesis. */
  readonly against: number;
}

/** The test and the interval that t = (value − against) / error gives. */
export function tComparison({ value, error, df }: MeanDifference, frame: TTestFrame): Comparison {
  const { name, intervalMethod, n, sizes, level, alternative, against } = frame;
  const statistic = (value - against) / error;
  const half = tCritical(level, df) * error;
  return {
    effect: "mean_difference",
    value,
    n,
    sizes,
    interval: { level, method: intervalMethod, low: value - half, high: value + half },
    test: { name, alternative, method: "student_t", statistic, df, p: tP(statistic, { df, alternative }) },
  };
}

/** The bare difference, where nothing can be said of how sure it is. */
export function untested(value: number, why: WhyUndefined, frame: TTestFrame): Comparison {
  const { name, intervalMethod, n, sizes, level, alternative } = frame;
  return {
    effect: "mean_difference",
    value,
    n,
    sizes,
    interval: noInterval(level, intervalMethod, why),
    test: noTest({ name, alternative, method: "student_t", why }),
  };
}

/**
 * Whether values are all the same but for rounding. `scale`: the largest magnitude they were computed from; differences
 * of equal size that are computed from it differ by a few units in its last place.
 */
export function isFlat(values: readonly number[], scale: number): boolean {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return high - low <= 8 * Number.EPSILON * scale;
}

/** The largest magnitude among values. */
export function magnitudeOf(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
