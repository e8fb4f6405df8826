import gammaln from "@stdlib/math-base-special-gammaln";
import { levelOf, requireFinite, requirePaired } from "./inputs.ts";
import { meanOf, sampleVariance } from "./mean.ts";
import { noncentralTCdf } from "./noncentral-t.ts";
import { type Estimate, type Interval, type LevelOption, notDefined } from "./result.ts";
import { bisect } from "./root.ts";
import { isFlat, magnitudeOf } from "./t-comparison.ts";

export interface EffectSizeOptions extends LevelOption {
  /** Takes away the bias of few observations (Hedges 1981), which makes Hedges' g of Cohen's d. Not unless given. */
  readonly unbiased?: boolean;
}

/**
 * Cohen's d (1969) of two groups: difference of means in pooled standard deviations; Hedges' g where unbiased. The
 * interval holds those effects under which the t of the sample is not extreme (Steiger and Fouladi 1997); it assumes
 * normal values of one variance.
 * @throws StatisticsInputError where a value is not finite
 */
export function cohensD(
  a: readonly number[],
  b: readonly number[],
  options: EffectSizeOptions = {},
): Estimate {
  requireFinite(a, "a");
  requireFinite(b, "b");
  const n = a.length + b.length;
  const level = levelOf(options);
  if (a.length < 1 || b.length < 1 || n < 3) return notDefined(n, "too_few");
  if (isFlat(a, magnitudeOf(a)) && isFlat(b, magnitudeOf(b))) return notDefined(n, "no_variance");
  const df = n - 2;
  const squares = (values: readonly number[]): number =>
    values.length === 1 ? 0 : sampleVariance(values) * (values.length - 1);
  const d = (meanOf(a) - meanOf(b)) / Math.sqrt((squares(a) + squares(b)) / df);
  const scale = Math.sqrt((a.length * b.length) / n);
  return standardized({ d, df, scale, n, level, unbiased: options.unbiased === true });
}

/**
 * Cohen's d_z of pairs: mean difference in standard deviations of the differences, which is what the power of a paired
 * test hangs on. Interval as for d.
 * @throws StatisticsInputError where lengths differ or a value is not finite
 */
export function cohensDz(
  a: readonly number[],
  b: readonly number[],
  options: EffectSizeOptions = {},
): Estimate {
  requirePaired(a, b);
  const n = a.length;
  const level = levelOf(options);
  if (n < 2) return notDefined(n, "too_few");
  const differences = a.map((value, index) => value - (b[index] ?? 0));
  if (isFlat(differences, Math.max(magnitudeOf(a), magnitudeOf(b)))) return notDefined(n, "no_variance");
  const d = meanOf(differences) / Math.sqrt(sampleVariance(differences));
  return standardized({ d, df: n - 1, scale: Math.sqrt(n), n, level, unbiased: options.unbiased === true });
}

function standardized(of: {
  readonly d: number;
  readonly df: number;
  /** What makes Student's t of d. */
  readonly scale: number;
  readonly n: number;
  readonly level: number;
  readonly unbiased: boolean;
}): Estimate {
  const { d, df, scale, n, level, unbiased } = of;
  const factor = unbiased ? unbiasing(df) : 1;
  const interval = noncentralInterval(d * scale, df, level);
  if (interval.low === null) return { value: d * factor, n, interval };
  const [low, high] = [(interval.low / scale) * factor, (interval.high / scale) * factor];
  return { value: d * factor, n, interval: { ...interval, low, high } };
}

/** Γ(df/2) / (√(df/2) Γ((df − 1)/2)); 1 degree of freedom has none, for its mean is not finite. */
function unbiasing(df: number): number {
  if (df < 2) return 1;
  return Math.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / Math.sqrt(df / 2);
}

function noncentralInterval(t: number, df: number, level: number): Interval {
  const tail = (1 - level) / 2;
  const atMost = (noncentrality: number): number => noncentralTCdf(t, { df, noncentrality });
  // t·S lies within a few widths of t, the normal deviate within 40 of 0.
  const reach = Math.abs(t) * (1 + 12 / Math.sqrt(df)) + 40;
  return {
    level,
    method: "noncentral_t",
    low: bisect((delta) => atMost(delta) - (1 - tail), { low: -reach, high: reach }),
    high: bisect((delta) => atMost(delta) - tail, { low: -reach, high: reach }),
  };
}
