/**
 * Why a figure or an interval is not defined. `too_few`: the formula needs more observations. `constant`: an input
 * does not vary. `one_class`: only one of two classes occurs. `no_variance`: the estimate lies on the edge of its range,
 * where the formula of its error gives nothing. `unstable`: too many resamples gave no value, or none beside the estimate.
 */
export type WhyUndefined = "too_few" | "constant" | "one_class" | "no_variance" | "unstable";

export type IntervalMethod =
  | "student_t"
  | "welch_t"
  | "fisher_z"
  | "bonett_wright"
  | "fieller"
  | "asymptotic_normal"
  | "delong"
  | "wilson"
  | "newcombe"
  | "newcombe_paired"
  | "noncentral_t"
  | "betting"
  | "jackknife_t"
  | "bootstrap_percentile"
  | "bootstrap_bca";

/** A confidence interval; `level` in (0, 1). */
export type Interval =
  | { readonly level: number; readonly method: IntervalMethod; readonly low: number; readonly high: number }
  | {
      readonly level: number;
      readonly method: IntervalMethod;
      readonly low: null;
      readonly high: null;
      readonly why: WhyUndefined;
    };

/** A figure that could not be computed from the `n` observations, and why. */
export interface Undefined {
  readonly value: null;
  readonly n: number;
  readonly why: WhyUndefined;
}

export interface Defined {
  readonly value: number;
  /** Observations it rests on. */
  readonly n: number;
  readonly interval: Interval;
}

/** A figure with its interval, or the reason why there is none; never NaN. */
export type Estimate = Defined | Undefined;

/** A p-value, two-sided unless said otherwise; null with the reason where the test says nothing. */
export type PValue =
  | { readonly p: number; readonly method: PMethod }
  | { readonly p: null; readonly method: PMethod; readonly why: WhyUndefined };

/** `corrected`: with a continuity correction. `mid_p`: exact, the observed outcome counted half. */
export type PMethod =
  | "student_t"
  | "normal"
  | "normal_corrected"
  | "chi_square"
  | "chi_square_corrected"
  | "exact"
  | "mid_p"
  | "monte_carlo";

/** A correlation: an estimate with the test of its being zero. */
export type Correlation = (Defined & { readonly test: PValue }) | Undefined;

export interface LevelOption {
  /** Confidence level, 0.95 unless given. */
  readonly level?: number;
}

export const DEFAULT_LEVEL = 0.95;

export function noInterval(level: number, method: IntervalMethod, why: WhyUndefined): Interval {
  return { level, method, low: null, high: null, why };
}

export function notDefined(n: number, why: WhyUndefined): Undefined {
  return { value: null, n, why };
}
