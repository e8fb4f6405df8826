import { auc } from "./auc.ts";
import { type Comparison, type ComparisonOptions, noTest, type Test } from "./comparison.ts";
import { type Alternative, normalP } from "./distributions.ts";
import { levelOf, requireFinite } from "./inputs.ts";
import { rankSumCdf } from "./rank-sum-distribution.ts";
import { averageRanks } from "./ranks.ts";
import { type Interval, notDefined } from "./result.ts";
import { tieSum } from "./tie-sum.ts";

export interface MannWhitneyOptions extends ComparisonOptions {
  /**
   * `auto` unless given: exact without ties where a side has at most 8 values, else normal. `exact` knows no ties: a half
   * in U is rounded towards the middle, as scipy does.
   */
  readonly method?: "auto" | "exact" | "normal";
  /** Moves the normal approximation by half a step towards the middle, as it does unless given. */
  readonly correction?: boolean;
}

const EXACT_UP_TO = 8;

/**
 * Mann and Whitney's U test (1947) of two samples: whether a value of the first is as often above as below one of the
 * second. The p-value and U (`statistic`, how often the first is above, ties counted half) are those of
 * `scipy.stats.mannwhitneyu`; the normal approximation corrects for ties. The effect is the rank-biserial correlation
 * 2U/(mn) − 1 with the interval that DeLong's variance of U gives.
 *
 * Without a p-value where all values are the same (`no_variance`).
 * @throws StatisticsInputError where a value is not finite
 */
export function mannWhitney(
  a: readonly number[],
  b: readonly number[],
  options: MannWhitneyOptions = {},
): Comparison {
  requireFinite(a, "a");
  requireFinite(b, "b");
  const level = levelOf(options);
  const { method = "auto", correction = true, alternative = "two_sided" } = options;
  const sizes = [a.length, b.length] as const;
  const n = a.length + b.length;
  if (a.length === 0 || b.length === 0) return notDefined(n, "too_few");
  const all = [...a, ...b];
  const ranks = averageRanks(all);
  const rankSum = ranks.slice(0, a.length).reduce((sum, rank) => sum + rank, 0);
  const u = rankSum - (a.length * (a.length + 1)) / 2;
  const ties = tieSum(all);
  const exact = method === "exact" || (method === "auto" && ties === 0 && Math.min(...sizes) <= EXACT_UP_TO);
  const test = exact
    ? exactTest(u, { sizes, alternative })
    : normalTest(u, { sizes, alternative, ties, correction });
  const area = auc(
    all,
    all.map((_, index) => index < a.length),
    { level },
  );
  if (area.value === null) return area;
  const value = (2 * u) / (a.length * b.length) - 1;
  return { effect: "rank_biserial", value, n, sizes, interval: doubled(area.interval), test };
}

/** The interval of 2x − 1. */
function doubled(interval: Interval): Interval {
  if (interval.low === null) return interval;
  return { ...interval, low: 2 * interval.low - 1, high: 2 * interval.high - 1 };
}

interface Frame {
  readonly sizes: readonly [number, number];
  readonly alternative: Alternative;
}

function exactTest(u: number, { sizes, alternative }: Frame): Test {
  const most = sizes[0] * sizes[1];
  const p = {
    two_sided: Math.min(1, 2 * rankSumCdf(Math.ceil(Math.min(u, most - u)), sizes)),
    greater: rankSumCdf(Math.ceil(most - u), sizes),
    less: rankSumCdf(Math.ceil(u), sizes),
  }[alternative];
  return { name: "mann_whitney", alternative, method: "exact", statistic: u, df: null, p };
}

function normalTest(u: number, of: Frame & { readonly ties: number; readonly correction: boolean }): Test {
  const { sizes, alternative, ties, correction } = of;
  const [m, n] = sizes;
  const all = m + n;
  const method = correction ? "normal_corrected" : "normal";
  const variance = ((m * n) / 12) * (all + 1 - ties / (all * (all - 1)));
  if (!(variance > 0)) return noTest({ name: "mann_whitney", alternative, method, why: "no_variance" });
  const distance = u - (m * n) / 2;
  const half = correction ? 0.5 : 0;
  const p = {
    // The correction may cross the middle: a p-value above 1 is 1.
    two_sided: Math.min(1, 2 * normalP((Math.abs(distance) - half) / Math.sqrt(variance), "greater")),
    greater: normalP((distance - half) / Math.sqrt(variance), "greater"),
    less: normalP((distance + half) / Math.sqrt(variance), "less"),
  }[alternative];
  return { name: "mann_whitney", alternative, method, statistic: u, df: null, p };
}
