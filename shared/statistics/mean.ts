import { tCritical } from "./distributions.ts";
import { isConstant, levelOf, requireFinite } from "./inputs.ts";
import { type Estimate, type Interval, type LevelOption, noInterval, notDefined } from "./result.ts";

/** Arithmetic mean; exact for values that are all equal. Empty input gives NaN: callers check n. */
export function meanOf(values: readonly number[]): number {
  const [first = Number.NaN] = values;
  // Summing the distances to one value keeps the digits that a large common offset would cost.
  let sum = 0;
  for (const value of values) sum += value - first;
  return first + sum / values.length;
}

/** Variance with n − 1 in the denominator. */
export function sampleVariance(values: readonly number[]): number {
  const mean = meanOf(values);
  let sum = 0;
  for (const value of values) sum += (value - mean) ** 2;
  return sum / (values.length - 1);
}

/** Mean with Student's t interval. */
export function mean(values: readonly number[], options: LevelOption = {}): Estimate {
  requireFinite(values, "values");
  const level = levelOf(options);
  const n = values.length;
  if (n === 0) return notDefined(n, "too_few");
  return { value: meanOf(values), n, interval: meanInterval(values, { level }) };
}

/** Student's t interval of a mean, cut to `within` where the quantity has a range. */
export function meanInterval(
  values: readonly number[],
  {
    level,
    within = [-Infinity, Infinity],
  }: { readonly level: number; readonly within?: readonly [number, number] },
): Interval {
  const n = values.length;
  if (n < 2) return noInterval(level, "student_t", "too_few");
  if (isConstant(values)) return noInterval(level, "student_t", "no_variance");
  const centre = meanOf(values);
  const half = tCritical(level, n - 1) * Math.sqrt(sampleVariance(values) / n);
  return {
    level,
    method: "student_t",
    low: Math.max(within[0], centre - half),
    high: Math.min(within[1], centre + half),
  };
}
