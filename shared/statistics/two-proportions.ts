import { type Comparison, type ComparisonOptions, noTest, type Test } from "./comparison.ts";
import { type Alternative, normalP } from "./distributions.ts";
import { fisherP } from "./fisher.ts";
import { levelOf } from "./inputs.ts";
import { notDefined } from "./result.ts";
import { riskDifferenceInterval } from "./risk-difference-interval.ts";
import { proportion } from "./wilson.ts";

/** Successes among so many attempts. */
export interface SuccessCount {
  readonly successes: number;
  readonly n: number;
}

export interface TwoProportionsOptions extends ComparisonOptions {
  /** `normal` unless given: z of the pooled rate, for ten or so of each outcome. `exact`: Fisher's test, for any counts. */
  readonly method?: "normal" | "exact";
}

/**
 * Compares the success rates of two groups that have nothing to do with each other; `mcnemar` compares those of pairs.
 * The effect is the difference of the rates with the interval of Newcombe (1998, method 10), which joins Wilson's limits
 * of both. `statistic` is z; Fisher's test has none.
 *
 * The normal test has no p-value where all succeed or all fail (`no_variance`).
 * @throws StatisticsInputError where a count is no whole number or successes exceed their number
 */
export function twoProportions(
  a: SuccessCount,
  b: SuccessCount,
  options: TwoProportionsOptions = {},
): Comparison {
  const level = levelOf(options);
  const [first, second] = [a, b].map(({ successes, n }) => proportion(successes, n, { level }));
  const n = a.n + b.n;
  if (first === undefined || second === undefined) return notDefined(n, "too_few");
  if (first.value === null || second.value === null) return notDefined(n, "too_few");
  const { method = "normal", alternative = "two_sided" } = options;
  return {
    effect: "risk_difference",
    value: first.value - second.value,
    n,
    sizes: [a.n, b.n],
    interval: riskDifferenceInterval(first, second, level),
    test: method === "exact" ? fisherTest({ a, b }, alternative) : zTest({ a, b }, alternative),
  };
}

interface Groups {
  readonly a: SuccessCount;
  readonly b: SuccessCount;
}

function fisherTest({ a, b }: Groups, alternative: Alternative): Test {
  const table = { a: a.successes, b: a.n - a.successes, c: b.successes, d: b.n - b.successes };
  return {
    name: "fisher",
    alternative,
    method: "exact",
    statistic: null,
    df: null,
    p: fisherP(table, alternative),
  };
}

function zTest({ a, b }: Groups, alternative: Alternative): Test {
  const pooled = (a.successes + b.successes) / (a.n + b.n);
  const variance = pooled * (1 - pooled) * (1 / a.n + 1 / b.n);
  const frame = { name: "two_proportions", alternative, method: "normal" } as const;
  if (variance === 0) return noTest({ ...frame, why: "no_variance" });
  const statistic = (a.successes / a.n - b.successes / b.n) / Math.sqrt(variance);
  return { ...frame, statistic, df: null, p: normalP(statistic, alternative) };
}
