import { type Comparison, type ComparisonOptions, noTest, type Test } from "./comparison.ts";
import { type Alternative, normalP } from "./distributions.ts";
import { levelOf, requirePaired } from "./inputs.ts";
import { pairedRankBiserial } from "./paired-rank-biserial.ts";
import { averageRanks } from "./ranks.ts";
import { notDefined } from "./result.ts";
import { signedRankTails } from "./signed-rank-distribution.ts";
import { magnitudeOf } from "./t-comparison.ts";
import { tieSum } from "./tie-sum.ts";

export interface WilcoxonOptions extends ComparisonOptions {
  /**
   * What becomes of differences of zero, named as in scipy. `wilcox` (unless given): they are left out. `pratt`: they
   * take part in the ranking and are left out then. `zsplit`: half of their ranks counts as positive, half as negative.
   */
  readonly zeroMethod?: "wilcox" | "pratt" | "zsplit";
  /** `auto` unless given: exact up to 50 differences without ties and zeros, with them up to 13; else normal. */
  readonly method?: "auto" | "exact" | "normal";
  /** Moves the normal approximation by half a rank towards the middle. Not unless given. */
  readonly correction?: boolean;
}

const EXACT_UP_TO = 50;
const EXACT_WITH_TIES_UP_TO = 13;

/**
 * Wilcoxon's signed-rank test (1945) of paired values: whether a − b is symmetric about 0. The p-value is that of
 * `scipy.stats.wilcoxon` under the same options; `statistic` is the sum of the positive ranks (scipy's two-sided test
 * names the smaller of that and the negative ones). The effect is the rank-biserial correlation of pairs (Kerby 2014):
 * positive less negative ranks over all ranks, zeros of `pratt` and `zsplit` being drawn into the denominator.
 * Differences that part by rounding only, as 0.3 − 0.2 and 0.4 − 0.3 do, are tied.
 *
 * Without a p-value where no difference is left (`too_few` of none, else `no_variance`: all are zero).
 * @throws StatisticsInputError where lengths differ or a value is not finite
 */
export function wilcoxonSignedRank(
  a: readonly number[],
  b: readonly number[],
  options: WilcoxonOptions = {},
): Comparison {
  requirePaired(a, b);
  const level = levelOf(options);
  const { zeroMethod = "wilcox", method = "auto", correction = false, alternative = "two_sided" } = options;
  const pairs = a.length;
  if (pairs === 0) return notDefined(0, "too_few");
  const all = roundedDifferences(a, b);
  const differences = zeroMethod === "wilcox" ? all.filter((value) => value !== 0) : all;
  const frame = { effect: "rank_biserial", n: differences.length, sizes: [pairs, pairs] } as const;
  const effect = pairedRankBiserial(differences, level);
  if (all.every((value) => value === 0)) {
    const test = { name: "wilcoxon_signed_rank", alternative, method: "exact", why: "no_variance" } as const;
    return { ...frame, ...effect, test: noTest(test) };
  }
  const ranked = rankedDifferences(differences);
  const exact = method === "exact" || (method === "auto" && isSmall(all, ranked.tied));
  const test = exact
    ? exactTest(ranked, { zeroMethod, alternative })
    : normalTest(ranked, { zeroMethod, alternative, correction });
  return { ...frame, ...effect, test };
}

/** Of values of a magnitude, digits from the 48th binary place on are rounding. */
const PLACES = 48;

function roundedDifferences(a: readonly number[], b: readonly number[]): readonly number[] {
  const scale = Math.max(magnitudeOf(a), magnitudeOf(b));
  const differences = a.map((value, index) => value - (b[index] ?? 0));
  const grid = 2 ** (Math.floor(Math.log2(scale)) - PLACES);
  // Values next to 0 have no finer grid.
  const rounded = (value: number): number => Math.sign(value) * Math.round(Math.abs(value) / grid) * grid;
  return grid > 0 ? differences.map(rounded) : differences;
}

interface Ranked {
  readonly differences: readonly number[];
  /** Of the magnitudes, zeros included where they were left in. */
  readonly ranks: readonly number[];
  readonly zeros: number;
  /** Whether magnitudes are tied. */
  readonly tied: boolean;
}

function rankedDifferences(differences: readonly number[]): Ranked {
  const sizes = differences.map(Math.abs);
  return {
    differences,
    ranks: averageRanks(sizes),
    zeros: sizes.filter((size) => size === 0).length,
    tied: new Set(sizes).size < sizes.length,
  };
}

function isSmall(all: readonly number[], tied: boolean): boolean {
  return all.length <= (tied || all.includes(0) ? EXACT_WITH_TIES_UP_TO : EXACT_UP_TO);
}

function sumWhere({ differences, ranks }: Ranked, holds: (difference: number) => boolean): number {
  return ranks.reduce((sum, rank, index) => sum + (holds(differences[index] ?? 0) ? rank : 0), 0);
}

type ZeroMethod = NonNullable<WilcoxonOptions["zeroMethod"]>;

function positiveRanks(ranked: Ranked, zeroMethod: ZeroMethod): number {
  const positive = sumWhere(ranked, (value) => value > 0);
  return zeroMethod === "zsplit" ? positive + sumWhere(ranked, (value) => value === 0) / 2 : positive;
}

function exactTest(
  ranked: Ranked,
  { zeroMethod, alternative }: { readonly zeroMethod: ZeroMethod; readonly alternative: Alternative },
): Test {
  const signed = ranked.ranks.filter((_, index) => ranked.differences[index] !== 0);
  const { atMost, atLeast } = signedRankTails(
    signed,
    sumWhere(ranked, (value) => value > 0),
  );
  const p = { less: atMost, greater: atLeast, two_sided: Math.min(1, 2 * Math.min(atMost, atLeast)) };
  return {
    name: "wilcoxon_signed_rank",
    alternative,
    method: "exact",
    statistic: positiveRanks(ranked, zeroMethod),
    df: null,
    p: p[alternative],
  };
}

function normalTest(
  ranked: Ranked,
  of: { readonly zeroMethod: ZeroMethod; readonly alternative: Alternative; readonly correction: boolean },
): Test {
  const { zeroMethod, alternative, correction } = of;
  const { differences, zeros } = ranked;
  const n = differences.length;
  const statistic = positiveRanks(ranked, zeroMethod);
  // Ranks that the zeros took in Pratt's ranking carry no sign; they are no tie to correct for either.
  const [taken, sizes] =
    zeroMethod === "pratt"
      ? [zeros, differences.filter((value) => value !== 0).map(Math.abs)]
      : [0, differences.map(Math.abs)];
  const mean = (n * (n + 1) - taken * (taken + 1)) / 4;
  const squares = n * (n + 1) * (2 * n + 1) - taken * (taken + 1) * (2 * taken + 1);
  const error = Math.sqrt((squares - tieSum(sizes) / 2) / 24);
  const method = correction ? "normal_corrected" : "normal";
  const distance = statistic - mean;
  const half = { less: -0.5, greater: 0.5, two_sided: Math.sign(distance) / 2 }[alternative];
  const z = (distance - (correction ? half : 0)) / error;
  return {
    name: "wilcoxon_signed_rank",
    alternative,
    method,
    statistic,
    df: null,
    p: normalP(z, alternative),
  };
}
