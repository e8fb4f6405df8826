import cdfOfBinomial from "@stdlib/stats-base-dists-binomial-cdf";
import pmfOfBinomial from "@stdlib/stats-base-dists-binomial-pmf";
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

/** The direction in which a test looks for a difference of the first side from the second. */
export type Alternative = "two_sided" | "greater" | "less";

/** The p-value of Student's t with `df` degrees of freedom. */
export function tP(value: number, of: { readonly df: number; readonly alternative: Alternative }): number {
  if (of.alternative === "two_sided") return twoSidedT(value, of.df);
  return t.cdf(of.alternative === "greater" ? -value : value, of.df);
}

/** The p-value of a standard normal statistic. */
export function normalP(value: number, alternative: Alternative): number {
  if (alternative === "two_sided") return twoSidedNormal(value);
  return normal.cdf(alternative === "greater" ? -value : value, 0, 1);
}

interface Binomial {
  readonly n: number;
  readonly p: number;
}

/** P(X ≤ k) of successes in n attempts. */
export function binomialCdf(k: number, { n, p }: Binomial): number {
  if (k < 0) return 0;
  return k >= n ? 1 : cdfOfBinomial(k, n, p);
}

/** P(X = k) of successes in n attempts. */
export function binomialPmf(k: number, { n, p }: Binomial): number {
  return pmfOfBinomial(k, n, p);
}

/** P(X ≤ k) of a fair coin's heads in n throws. */
export function fairCoinCdf(k: number, n: number): number {
  return binomialCdf(k, { n, p: 0.5 });
}

/** P(X = k) of a fair coin's heads in n throws. */
export function fairCoinPmf(k: number, n: number): number {
  return binomialPmf(k, { n, p: 0.5 });
}

export function tQuantile(p: number, df: number): number {
  return t.quantile(p, df);
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
