import { requireFinite, StatisticsInputError } from "./inputs.ts";
import type { OneSided } from "./sign-flip-greater.ts";

/** Stakes that the capital is spread over, as shares of the largest that cannot lose more than everything. */
const STAKES = Array.from({ length: 40 }, (_, index) => (index + 1) / 40);

/**
 * One-sided test that the mean of values from [low, high] is above `mean`, by betting: who stakes a share of his capital
 * on each value grows rich only where the mean is higher, so p = 1 / capital holds for every distribution in the range
 * and every n (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", 2024; Ville's
 * inequality). No variance is estimated: few values, or equal ones, make it no bolder. It needs more values than
 * Student's t where that one holds. p never rises where a value grows.
 * @throws StatisticsInputError where a value, or the mean, lies outside the range
 */
export function bettingGreater(
  values: readonly number[],
  { mean, low, high }: { readonly mean: number; readonly low: number; readonly high: number },
): OneSided {
  requireFinite(values, "values");
  if (!(low < high && mean > low && mean < high)) {
    throw new StatisticsInputError(`the mean ${mean} must lie between ${low} and ${high}`);
  }
  const outside = values.find((value) => value < low || value > high);
  if (outside !== undefined) {
    throw new StatisticsInputError(`the value ${outside} lies outside ${low} to ${high}`);
  }
  const n = values.length;
  if (n === 0) return { p: null, n, why: "too_few" };
  const logs = STAKES.map((share) => {
    const stake = share / (mean - low);
    return values.reduce((sum, value) => sum + Math.log1p(stake * (value - mean)), 0);
  });
  const most = Math.max(...logs);
  // Every stake lost everything somewhere.
  if (most === Number.NEGATIVE_INFINITY) return { p: 1, n, method: "betting" };
  const capital = Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0) / STAKES.length) + most;
  return { p: Math.min(1, Math.exp(-capital)), n, method: "betting" };
}
