import type { Condition, DecisionTest } from "../contracts/model.ts";
import type { Guard, PromotionPolicy } from "../contracts/promotion-policy.ts";
import { bettingGreater } from "../statistics/betting-greater.ts";
import { mean, meanOf } from "../statistics/mean.ts";
import type { Estimate } from "../statistics/result.ts";
import { type OneSided, signFlipGreater } from "../statistics/sign-flip-greater.ts";
import { type TaskValues, taskValues, type ValuesOf } from "./episode-values.ts";
import type { EpisodePair } from "./pair-episodes.ts";

type MetricCondition = Extract<Condition, { readonly id: "metric" | "guard" }>;

interface Context {
  readonly policy: PromotionPolicy;
  /** Of this test. */
  readonly alpha: number;
}

/** Whether the candidate is better, or not worse, by the policy's metric. */
export function metricCondition(pairs: readonly EpisodePair[], { policy, alpha }: Context): MetricCondition {
  const { metric, goal } = policy;
  const range = rangeOf(policy);
  const values = taskValues(pairs, { metric, range });
  const margin = goal.kind === "superiority" ? goal.margin : -goal.margin;
  const about = { id: "metric", metric, margin: goal.margin, kind: goal.kind } as const;
  return condition(about, {
    values,
    alpha,
    fault: faultOf(values, range),
    test: (tasks) => {
      const differences = tasks.map(({ candidate, champion }) => candidate - champion);
      if (margin === 0) return signFlipGreater(differences, { seed: policy.seed, draws: drawsFor(alpha) });
      const [low, high] = range ?? [0, 1];
      return bettingGreater(differences, { mean: margin, low: low - high, high: high - low });
    },
    otherwise:
      goal.kind === "superiority"
        ? `it is not shown that ${metric} is better${goal.margin > 0 ? ` by more than ${goal.margin}` : ""}`
        : `it is not shown that ${metric} is worse by less than ${goal.margin}`,
  });
}

/** Without a champion: whether the candidate's mean is above what the policy asks of the first one. */
export function firstCondition(
  pairs: readonly EpisodePair[],
  { policy, alpha, least }: Context & { readonly least: number },
): MetricCondition {
  const { metric } = policy;
  const range = rangeOf(policy) ?? [0, 1];
  const { tasks, without } = taskValues(pairs, { metric, range });
  // It stands beside itself here.
  const values = { tasks, without: { ...without, champion: 0 } };
  const found = condition(
    { id: "metric", metric, margin: least, kind: "least" },
    {
      values,
      alpha,
      fault: faultOf(values, range),
      test: (tasks) =>
        bettingGreater(
          tasks.map(({ candidate }) => candidate),
          { mean: least, low: range[0], high: range[1] },
        ),
      otherwise: `it is not shown that ${metric} is above ${least}`,
    },
  );
  return { ...found, mean: { candidate: found.mean.candidate, champion: null }, difference: null };
}

/** Whether something that should not grow has not grown by more than the guard's margin. */
export function guardCondition(
  pairs: readonly EpisodePair[],
  { guard, policy }: { readonly guard: Guard; readonly policy: PromotionPolicy },
): MetricCondition {
  const { metric, margin, alpha } = guard;
  const values = taskValues(pairs, { metric });
  return condition(
    { id: "guard", metric, margin, kind: "non-inferiority" },
    {
      values,
      alpha,
      fault: faultOf(values, undefined),
      test: (tasks) => {
        if (metric === "violations") {
          const fewer = tasks.map(({ candidate, champion }) => champion - candidate);
          return bettingGreater(fewer, { mean: -margin, low: -1, high: 1 });
        }
        // Nothing cannot have grown.
        if (tasks.every(({ candidate }) => candidate === 0)) return { p: 0, n: tasks.length, method: "zero" };
        const below = tasks.map(({ candidate, champion }) => champion * (1 + margin) - candidate);
        return signFlipGreater(below, { seed: policy.seed, draws: drawsFor(alpha) });
      },
      otherwise: `it is not shown that ${metric} stays within ${metric === "violations" ? margin : `${margin * 100} %`}`,
    },
  );
}

function condition(
  about: Pick<MetricCondition, "id" | "metric" | "margin" | "kind">,
  of: {
    readonly values: ValuesOf;
    readonly alpha: number;
    readonly fault: string | null;
    readonly test: (
      tasks: readonly TaskValues[],
    ) => OneSided | { readonly p: number; readonly n: number; readonly method: "zero" };
    /** What is to be said where the test fails. */
    readonly otherwise: string;
  },
): MetricCondition {
  const { values, alpha, fault } = of;
  const { tasks } = values;
  if (fault !== null || tasks === null || tasks.length === 0) {
    const reason = fault ?? `no episode ended that says anything of ${about.metric}`;
    const test: DecisionTest = { p: null, n: 0, why: "no_value", alpha };
    const blank = { mean: { candidate: null, champion: null }, difference: null, test };
    return { ...about, verdict: "invalid", reason, ...blank };
  }
  const facts = {
    ...about,
    mean: {
      candidate: meanOf(tasks.map(({ candidate }) => candidate)),
      champion: meanOf(tasks.map(({ champion }) => champion)),
    },
    difference: differenceOf(tasks, alpha),
  };
  const test = { ...of.test(tasks), alpha };
  // Asked this way round, so that what is no number does not pass.
  if (test.p === null || !(test.p >= 0 && test.p <= 1)) {
    return { ...facts, verdict: "invalid", reason: `the test of ${about.metric} gave no p-value`, test };
  }
  const passes = test.p <= alpha;
  return {
    ...facts,
    verdict: passes ? "pass" : "fail",
    reason: passes ? null : `${of.otherwise}: p = ${rounded(test.p)} is above ${rounded(alpha)}`,
    test,
  };
}

/** Its lower bound is that of a one-sided test at α. */
function differenceOf(tasks: readonly TaskValues[], alpha: number): Estimate {
  return mean(
    tasks.map(({ candidate, champion }) => candidate - champion),
    { level: 1 - 2 * alpha },
  );
}

function faultOf({ tasks, without }: ValuesOf, range: readonly [number, number] | undefined): string | null {
  const lacking = without.candidate + without.champion;
  if (lacking > 0) return `${lacking} episodes that ended do not have the number`;
  const [low, high] = range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const outside = (tasks ?? []).some(
    ({ candidate, champion }) => Math.min(candidate, champion) < low || Math.max(candidate, champion) > high,
  );
  return outside ? `there are values outside the range ${low} to ${high}` : null;
}

function rangeOf({ metric, range }: PromotionPolicy): readonly [number, number] | undefined {
  return metric === "success" ? [0, 1] : range;
}

/** Random patterns that make p-values far below α possible. */
function drawsFor(alpha: number): number {
  return Math.min(1_000_000, Math.max(10_000, Math.ceil(50 / alpha)));
}

function rounded(value: number): string {
  return value.toPrecision(3);
}
