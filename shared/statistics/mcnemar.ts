import { type Comparison, type ComparisonOptions, noTest, type Test } from "./comparison.ts";
import { type Alternative, fairCoinCdf, fairCoinPmf, normalP } from "./distributions.ts";
import { levelOf } from "./inputs.ts";
import { type PairedOutcomes, pairsOf } from "./paired-outcomes.ts";
import { pairedRiskDifference } from "./paired-risk-difference.ts";

export interface McNemarOptions extends ComparisonOptions {
  /**
   * `exact` unless given: pairs that differ fall to either side like a fair coin. `mid_p`: the same, the observed
   * outcome counted half, which is less cautious (Fagerland, Lydersen and Laake 2013). `chi_square`, also `corrected`
   * (Edwards 1948): the approximation for many such pairs; one-sided by its signed root.
   */
  readonly method?: "exact" | "mid_p" | "chi_square" | "chi_square_corrected";
}

/**
 * McNemar's test (1947) of paired successes: whether more pairs succeed on the first side alone than on the second
 * alone. `statistic` is the smaller of the two counts, or chi-square with one degree of freedom. The effect is the
 * difference of the success rates with Newcombe's interval. `pairedOutcomes` counts the outcomes.
 *
 * Where no pair differs the exact p-values are 1 and the approximations are not defined (`no_variance`).
 * @throws StatisticsInputError where a count is no whole number from 0
 */
export function mcnemar(outcomes: PairedOutcomes, options: McNemarOptions = {}): Comparison {
  const n = pairsOf(outcomes);
  const level = levelOf(options);
  const difference = pairedRiskDifference(outcomes, { level });
  if (difference.value === null) return difference;
  const { method = "exact", alternative = "two_sided" } = options;
  const test =
    method === "exact" || method === "mid_p"
      ? coinTest(outcomes, { method, alternative })
      : chiSquareTest(outcomes, { method, alternative });
  return { ...difference, effect: "risk_difference", sizes: [n, n], test };
}

function coinTest(
  { onlyA, onlyB }: PairedOutcomes,
  { method, alternative }: { readonly method: "exact" | "mid_p"; readonly alternative: Alternative },
): Test {
  const differing = onlyA + onlyB;
  const fewer = Math.min(onlyA, onlyB);
  const half = method === "mid_p" ? 0.5 : 0;
  const tail = (count: number): number =>
    fairCoinCdf(count, differing) - half * fairCoinPmf(count, differing);
  const p = {
    two_sided: Math.min(1, 2 * tail(fewer)),
    greater: tail(onlyB),
    less: tail(onlyA),
  }[alternative];
  return { name: "mcnemar", alternative, method, statistic: fewer, df: null, p };
}

function chiSquareTest(
  { onlyA, onlyB }: PairedOutcomes,
  of: { readonly method: "chi_square" | "chi_square_corrected"; readonly alternative: Alternative },
): Test {
  const differing = onlyA + onlyB;
  if (differing === 0) return noTest({ name: "mcnemar", ...of, why: "no_variance" });
  const distance = onlyA - onlyB;
  const size = Math.abs(distance);
  const corrected = of.method === "chi_square_corrected" ? Math.sign(distance) * (size - 1) : distance;
  const z = corrected / Math.sqrt(differing);
  return { name: "mcnemar", ...of, statistic: z ** 2, df: 1, p: normalP(z, of.alternative) };
}
