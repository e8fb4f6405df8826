import { normalCritical, twoSidedT } from "./distributions.ts";
import { isConstant, levelOf, requirePaired } from "./inputs.ts";
import { meanOf } from "./mean.ts";
import {
  type Correlation,
  type Interval,
  type IntervalMethod,
  type LevelOption,
  noInterval,
  notDefined,
  type PValue,
} from "./result.ts";

/** Pearson's r in [−1, 1], or null where fewer than two pairs are given or one side is constant. */
export function pearsonOf(x: readonly number[], y: readonly number[]): number | null {
  if (x.length < 2 || isConstant(x) || isConstant(y)) return null;
  const [a, b] = [scaledDeviations(x), scaledDeviations(y)];
  let [xx, xy, yy] = [0, 0, 0];
  for (const [index, one] of a.entries()) {
    const other = b[index] ?? 0;
    xx += one * one;
    xy += one * other;
    yy += other * other;
  }
  return Math.min(1, Math.max(-1, xy / Math.sqrt(xx * yy)));
}

/**
 * Deviations from the mean, brought near 1 so that no square overflows or vanishes. A power of two does that without
 * rounding: ranks in the same order correlate to exactly 1.
 */
function scaledDeviations(values: readonly number[]): number[] {
  const mean = meanOf(values);
  const deviations = values.map((value) => value - mean);
  const largest = deviations.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = 2 ** Math.floor(Math.log2(largest));
  return deviations.map((value) => value / scale);
}

/** Pearson's correlation with its p-value (Student's t, n − 2 degrees of freedom) and Fisher's z interval. */
export function pearson(x: readonly number[], y: readonly number[], options: LevelOption = {}): Correlation {
  requirePaired(x, y);
  const level = levelOf(options);
  const n = x.length;
  if (n < 2) return notDefined(n, "too_few");
  const value = pearsonOf(x, y);
  if (value === null) return notDefined(n, "constant");
  return {
    value,
    n,
    interval: correlationInterval({ r: value, error: Math.sqrt(1 / (n - 3)), level, method: "fisher_z" }),
    // Two points always lie on a line: that says nothing against independence.
    test: n === 2 ? { p: 1, method: "student_t" } : correlationTest(value, n),
  };
}

/** Student's t test of a correlation being zero. */
export function correlationTest(r: number, n: number): PValue {
  const df = n - 2;
  if (df < 1) return { p: null, method: "student_t", why: "too_few" };
  return { p: twoSidedT(r * Math.sqrt(df / ((1 - r) * (1 + r))), df), method: "student_t" };
}

/** The interval that is symmetric in z = artanh(r), whose standard error is `error` (not finite: too few observations). */
export function correlationInterval(of: {
  readonly r: number;
  readonly error: number;
  readonly level: number;
  readonly method: IntervalMethod;
}): Interval {
  const { r, error, level, method } = of;
  if (!Number.isFinite(error)) return noInterval(level, method, "too_few");
  if (Math.abs(r) === 1) return noInterval(level, method, "no_variance");
  const half = normalCritical(level) * error;
  return { level, method, low: Math.tanh(Math.atanh(r) - half), high: Math.tanh(Math.atanh(r) + half) };
}
