import { type BootstrapOptions, bootstrap } from "./bootstrap.ts";
import { requireFinite, requireUnit } from "./inputs.ts";
import type { Estimate } from "./result.ts";
import { ascending, quantileOfSorted } from "./sorted-quantile.ts";

/** Quantile (type 7) with a bootstrap interval. @param p in [0, 1] */
export function quantile(values: readonly number[], p: number, options: BootstrapOptions): Estimate {
  requireFinite(values, "values");
  requireUnit([p], "p");
  const statistic = (indices: readonly number[]): number | null =>
    quantileOf(
      indices.map((index) => values[index] ?? 0),
      p,
    );
  return bootstrap({ n: values.length, statistic }, options);
}

/** The bare value, or null of nothing. */
export function quantileOf(values: readonly number[], p: number): number | null {
  return values.length === 0 ? null : quantileOfSorted([...values].sort(ascending), p);
}

/** Median with a bootstrap interval. */
export function median(values: readonly number[], options: BootstrapOptions): Estimate {
  return quantile(values, 0.5, options);
}
