import { tCritical } from "./distributions.ts";
import { meanOf } from "./mean.ts";
import { type Interval, noInterval } from "./result.ts";
import { ascending } from "./sorted-quantile.ts";

/**
 * The rank-biserial correlation of paired differences, in [−1, 1]: the signed ranks over the ranks. That is the mean
 * sign of the sums of two differences, each difference being paired with itself too (Tukey 1949), so an interval comes
 * from the jackknife over differences. 0 of none.
 */
export function pairedRankBiserial(
  differences: readonly number[],
  level: number,
): { readonly value: number; readonly interval: Interval } {
  const n = differences.length;
  const signs = signSums(differences);
  const own = differences.reduce((sum, value) => sum + Math.sign(value), 0);
  // Every pair of two is counted from both sides, each difference with itself once.
  const total = (signs.reduce((sum, one) => sum + one, 0) + own) / 2;
  const value = n === 0 ? 0 : total / ((n * (n + 1)) / 2);
  if (n < 3) return { value, interval: noInterval(level, "jackknife_t", "too_few") };
  const without = signs.map((sum) => (total - sum) / ((n * (n - 1)) / 2));
  const centre = meanOf(without);
  const squares = without.reduce((sum, one) => sum + (one - centre) ** 2, 0);
  const error = Math.sqrt(((n - 1) / n) * squares);
  if (error < 1e-15) return { value, interval: noInterval(level, "jackknife_t", "no_variance") };
  const half = tCritical(level, n - 1) * error;
  const [low, high] = [Math.max(-1, value - half), Math.min(1, value + half)];
  return { value, interval: { level, method: "jackknife_t", low, high } };
}

/** For each difference, the sum over all differences, itself included, of the sign of its sum with them. */
function signSums(differences: readonly number[]): readonly number[] {
  const sorted = Float64Array.from(differences).sort(ascending);
  const n = sorted.length;
  return differences.map((value) => {
    const below = firstIndex(sorted, (other) => other >= -value);
    const upTo = firstIndex(sorted, (other) => other > -value);
    return n - upTo - below;
  });
}

/** The first index at which a condition holds that holds from some index on; the length where it never does. */
function firstIndex(sorted: Float64Array, holds: (value: number) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(sorted[middle] ?? 0)) high = middle;
    else low = middle + 1;
  }
  return low;
}
