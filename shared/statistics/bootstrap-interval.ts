import { normalCdf, normalQuantile } from "./distributions.ts";
import { type Interval, noInterval } from "./result.ts";
import { ascending, quantileOfSorted } from "./sorted-quantile.ts";

/** Fewer values than this say nothing of the tails. */
const LEAST_REPLICATES = 20;

/**
 * Percentile interval (Efron 1979) of bootstrap replicates; null stands for a resample without a value. Not defined where
 * all replicates are the same: that shows a value on the edge of its range, not a certain one.
 */
export function percentileInterval(replicates: readonly (number | null)[], level: number): Interval {
  const method = "bootstrap_percentile";
  const sorted = usable(replicates);
  if (sorted === null) return noInterval(level, method, "unstable");
  if (sorted[0] === sorted.at(-1)) return noInterval(level, method, "no_variance");
  const tail = (1 - level) / 2;
  return { level, method, low: quantileOfSorted(sorted, tail), high: quantileOfSorted(sorted, 1 - tail) };
}

/**
 * Bias-corrected and accelerated interval (Efron 1987). `jackknife` are the values without each unit in turn, which give
 * the acceleration. Not defined where nothing varies, or all replicates lie on one side of the estimate (unstable).
 */
export function bcaInterval(of: {
  readonly value: number;
  readonly replicates: readonly (number | null)[];
  readonly jackknife: readonly (number | null)[];
  readonly level: number;
}): Interval {
  const { value, replicates, jackknife, level } = of;
  const method = "bootstrap_bca";
  const sorted = usable(replicates);
  if (sorted === null) return noInterval(level, method, "unstable");
  if (sorted[0] === sorted.at(-1)) return noInterval(level, method, "no_variance");
  if (jackknife.includes(null)) return noInterval(level, method, "unstable");
  const below = sorted.filter((one) => one < value).length;
  const upTo = sorted.filter((one) => one <= value).length;
  const bias = normalQuantile((below + upTo) / (2 * sorted.length));
  const acceleration = accelerationOf(jackknife.filter((one) => one !== null));
  if (acceleration === null) return noInterval(level, method, "no_variance");
  if (!Number.isFinite(bias)) return noInterval(level, method, "unstable");
  const corrected = (p: number): number => {
    const z = bias + normalQuantile(p);
    return normalCdf(bias + z / (1 - acceleration * z));
  };
  const tail = (1 - level) / 2;
  return {
    level,
    method,
    low: quantileOfSorted(sorted, corrected(tail)),
    high: quantileOfSorted(sorted, corrected(1 - tail)),
  };
}

/** The values in order, or null where more than half of the resamples gave none. */
function usable(replicates: readonly (number | null)[]): readonly number[] | null {
  const values = replicates.filter((value) => value !== null);
  if (values.length < LEAST_REPLICATES || values.length * 2 < replicates.length) return null;
  return values.sort(ascending);
}

function accelerationOf(jackknife: readonly number[]): number | null {
  const mean = jackknife.reduce((sum, value) => sum + value, 0) / jackknife.length;
  const largest = jackknife.reduce((most, value) => Math.max(most, Math.abs(mean - value)), 0);
  if (largest === 0) return null;
  let [squares, cubes] = [0, 0];
  for (const value of jackknife) {
    // In units of the largest, whose cube cannot vanish.
    const distance = (mean - value) / largest;
    squares += distance ** 2;
    cubes += distance ** 3;
  }
  return cubes / (6 * squares ** 1.5);
}
