import normal from "@stdlib/stats-base-dists-normal";
import t from "@stdlib/stats-base-dists-t";

/** P(|T| ≥ |value|) for Student's t with `df` degrees of freedom. */
export function twoSidedT(value: number, df: number): number {
  if (Math.abs(value) === Number.POSITIVE_INFINITY) return 0;
  return Math.min(1, 2 * t.cdf(-Math.abs(value), df));
}

/** P(|Z| ≥ |value|) for the standard normal. */
export function twoSidedNormal(value: number): number {
  return Math.min(1, 2 * normal.cdf(-Math.abs(value), 0, 1));
}

/** The half-width of a two-sided interval in standard errors. */
export function tCritical(level: number, df: number): number {
  return t.quantile((1 + level) / 2, df);
}

export function normalCritical(level: number): number {
  return normal.quantile((1 + level) / 2, 0, 1);
}

export function normalQuantile(p: number): number {
  return normal.quantile(p, 0, 1);
}

export function normalCdf(z: number): number {
  return normal.cdf(z, 0, 1);
}
