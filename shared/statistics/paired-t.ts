import type { Comparison, ComparisonOptions } from "./comparison.ts";
import { levelOf, requirePaired } from "./inputs.ts";
import { meanOf, sampleVariance } from "./mean.ts";
import { notDefined } from "./result.ts";
import { isFlat, magnitudeOf, type TTestFrame, tComparison, untested } from "./t-comparison.ts";

export interface MeanTestOptions extends ComparisonOptions {
  /** The difference under the null hypothesis, 0 unless given: the margin where it is that which must be shown. */
  readonly against?: number;
}

/**
 * Student's t test of paired values (1908): the mean of a − b, with n − 1 degrees of freedom. Assumes that the mean
 * difference is about normal. Differences that do not vary leave it without a p-value (`no_variance`): no spread, no
 * error to measure the mean by.
 * @throws StatisticsInputError where lengths differ or a value is not finite
 */
export function pairedT(
  a: readonly number[],
  b: readonly number[],
  options: MeanTestOptions = {},
): Comparison {
  requirePaired(a, b);
  const level = levelOf(options);
  const n = a.length;
  if (n === 0) return notDefined(0, "too_few");
  const { alternative = "two_sided", against = 0 } = options;
  const frame: TTestFrame = {
    name: "paired_t",
    intervalMethod: "student_t",
    n,
    sizes: [n, n],
    level,
    alternative,
    against,
  };
  const differences = a.map((value, index) => value - (b[index] ?? 0));
  const value = meanOf(differences);
  if (n === 1) return untested(value, "too_few", frame);
  if (isFlat(differences, Math.max(magnitudeOf(a), magnitudeOf(b)))) {
    return untested(value, "no_variance", frame);
  }
  return tComparison({ value, error: Math.sqrt(sampleVariance(differences) / n), df: n - 1 }, frame);
}
