import { type Alternative, normalCdf, normalQuantile, tQuantile } from "./distributions.ts";
import { requireUnit, StatisticsInputError } from "./inputs.ts";
import { noncentralTCdf } from "./noncentral-t.ts";

/** How likely a test at level α finds an effect of a given size. */
export interface Power {
  readonly value: number;
  /** Pairs, or the observations of both groups. */
  readonly n: number;
  readonly df: number | null;
  readonly method: "noncentral_t" | "normal" | "exact";
}

export interface PowerOptions {
  /** In (0, 1), 0.05 unless given. */
  readonly alpha?: number;
  /** Two-sided unless given. */
  readonly alternative?: Alternative;
}

const DEFAULT_ALPHA = 0.05;

/** @throws StatisticsInputError where α lies outside (0, 1) */
export function alphaOf({ alpha = DEFAULT_ALPHA }: PowerOptions): number {
  if (alpha > 0 && alpha < 1) return alpha;
  throw new StatisticsInputError(`the level α of ${alpha} must lie between 0 and 1, as 0.05 does`);
}

/** @throws StatisticsInputError where n is no whole number from `least` */
export function requireCount(n: number, least: number): void {
  if (Number.isSafeInteger(n) && n >= least) return;
  throw new StatisticsInputError(`n is ${n}: give a whole number from ${least}`);
}

/** Power of the paired t test. @param of `effect` is Cohen's d_z, `n` the pairs, 2 or more */
export function pairedMeansPower(
  { effect, n }: { readonly effect: number; readonly n: number },
  options: PowerOptions = {},
): Power {
  requireCount(n, 2);
  return tPower({ noncentrality: effect * Math.sqrt(n), df: n - 1, n }, options);
}

/** Power of Student's t test of two groups. @param of `effect` is Cohen's d, `sizes` are 2 or more each */
export function twoMeansPower(
  { effect, sizes }: { readonly effect: number; readonly sizes: readonly [number, number] },
  options: PowerOptions = {},
): Power {
  const [a, b] = sizes;
  requireCount(a, 2);
  requireCount(b, 2);
  const noncentrality = effect * Math.sqrt((a * b) / (a + b));
  return tPower({ noncentrality, df: a + b - 2, n: a + b }, options);
}

function tPower(
  of: { readonly noncentrality: number; readonly df: number; readonly n: number },
  options: PowerOptions,
): Power {
  const { noncentrality, df, n } = of;
  const { alternative = "two_sided" } = options;
  const alpha = alphaOf(options);
  const critical = tQuantile(1 - (alternative === "two_sided" ? alpha / 2 : alpha), df);
  const below = noncentralTCdf(-critical, { df, noncentrality });
  // By the mirror image, which keeps the digits of a small tail.
  const above = noncentralTCdf(-critical, { df, noncentrality: -noncentrality });
  const value = { two_sided: above + below, greater: above, less: below }[alternative];
  return { value, n, df, method: "noncentral_t" };
}

/**
 * Power of the z test of two success rates with pooled variance, by the normal approximation (Fleiss, Levin and Paik
 * 2003, chapter 4).
 * @param of `rates` in [0, 1], `sizes` 1 or more each
 */
export function twoProportionsPower(
  of: { readonly rates: readonly [number, number]; readonly sizes: readonly [number, number] },
  options: PowerOptions = {},
): Power {
  const { rates, sizes } = of;
  requireUnit(rates, "rates");
  for (const size of sizes) requireCount(size, 1);
  const { alternative = "two_sided" } = options;
  const alpha = alphaOf(options);
  const [[p, q], [m, n]] = [rates, sizes];
  const pooled = (p * m + q * n) / (m + n);
  const underNull = Math.sqrt(pooled * (1 - pooled) * (1 / m + 1 / n));
  const error = Math.sqrt((p * (1 - p)) / m + (q * (1 - q)) / n);
  const critical = -normalQuantile(alternative === "two_sided" ? alpha / 2 : alpha) * underNull;
  const above = beyond(p - q - critical, error);
  const below = beyond(q - p - critical, error);
  const value = { two_sided: above + below, greater: above, less: below }[alternative];
  return { value, n: m + n, df: null, method: "normal" };
}

/** Φ(distance / error), where rates of 0 and 1 leave no error. */
function beyond(distance: number, error: number): number {
  if (error > 0) return normalCdf(distance / error);
  return distance > 0 ? 1 : 0;
}
