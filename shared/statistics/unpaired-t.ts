import type { Comparison } from "./comparison.ts";
import { levelOf, requireFinite } from "./inputs.ts";
import { meanOf, sampleVariance } from "./mean.ts";
import type { MeanTestOptions } from "./paired-t.ts";
import { notDefined } from "./result.ts";
import { isFlat, magnitudeOf, type TTestFrame, tComparison, untested } from "./t-comparison.ts";

/**
 * Welch's t test (1947) of two means whose variances may differ, with the degrees of freedom of Satterthwaite (1946).
 * Without a p-value where a side has one value (`too_few`) or neither varies (`no_variance`).
 * @throws StatisticsInputError where a value is not finite
 */
export function welchT(
  a: readonly number[],
  b: readonly number[],
  options: MeanTestOptions = {},
): Comparison {
  return unpaired({ a, b, name: "welch_t" }, options);
}

/** Student's t test of two means under one variance, with n − 2 degrees of freedom; `welchT` does without that. */
export function studentT(
  a: readonly number[],
  b: readonly number[],
  options: MeanTestOptions = {},
): Comparison {
  return unpaired({ a, b, name: "student_t" }, options);
}

function unpaired(
  of: {
    readonly a: readonly number[];
    readonly b: readonly number[];
    readonly name: "welch_t" | "student_t";
  },
  options: MeanTestOptions,
): Comparison {
  const { a, b, name } = of;
  requireFinite(a, "a");
  requireFinite(b, "b");
  const level = levelOf(options);
  const n = a.length + b.length;
  if (a.length === 0 || b.length === 0) return notDefined(n, "too_few");
  const { alternative = "two_sided", against = 0 } = options;
  const sizes = [a.length, b.length] as const;
  const frame: TTestFrame = { name, intervalMethod: name, n, sizes, level, alternative, against };
  const value = meanOf(a) - meanOf(b);
  if (a.length === 1 || b.length === 1) return untested(value, "too_few", frame);
  if (isFlat(a, magnitudeOf(a)) && isFlat(b, magnitudeOf(b))) return untested(value, "no_variance", frame);
  const spread = { a: sampleVariance(a), b: sampleVariance(b), sizes };
  return tComparison({ value, ...(name === "welch_t" ? welchError(spread) : pooledError(spread)) }, frame);
}

interface Spread {
  readonly a: number;
  readonly b: number;
  readonly sizes: readonly [number, number];
}

function welchError({ a, b, sizes: [m, n] }: Spread): { readonly error: number; readonly df: number } {
  const error = Math.sqrt(a / m + b / n);
  // As shares of the whole, whose squares neither overflow nor vanish.
  const share = a / m / (a / m + b / n);
  return { error, df: 1 / (share ** 2 / (m - 1) + (1 - share) ** 2 / (n - 1)) };
}

function pooledError({ a, b, sizes: [m, n] }: Spread): { readonly error: number; readonly df: number } {
  const df = m + n - 2;
  return { error: Math.sqrt((((m - 1) * a + (n - 1) * b) / df) * (1 / m + 1 / n)), df };
}
