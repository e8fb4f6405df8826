import type { AgentComparison, Evaluation, EvaluationMetric } from "../contracts/evaluation.ts";
import { LEAST_CLUSTERS } from "../leaderboard/run-clusters.ts";
import { bootstrapFigures } from "../statistics/bootstrap.ts";
import { meanOf, sampleVariance } from "../statistics/mean.ts";
import { type Estimate, noInterval } from "../statistics/result.ts";
import { metricOf, moreIsBetter } from "./metrics.ts";
import { meansTest, verdictTest } from "./paired-test.ts";
import type { EpisodePair } from "./pairs.ts";

/** A comparison before its p-value is corrected. */
export type RawComparison = Omit<AgentComparison, "adjusted" | "significant" | "better">;

/** Values of the pairs at one task. */
interface TaskPairs {
  readonly task: string;
  readonly values: readonly (readonly [number, number])[];
}

/**
 * One agent against another by one metric. Attempts at one task are alike, so tasks are what is drawn and tested: each
 * gives the difference of the means of its pairs. Where each task has one pair of verdicts, that is McNemar's test, and
 * the interval is Newcombe's.
 */
export function comparePair(of: {
  readonly metric: EvaluationMetric;
  readonly a: string;
  readonly b: string;
  readonly pairs: readonly EpisodePair[];
  readonly settings: Evaluation["settings"];
}): RawComparison {
  const { metric, a, b, pairs, settings } = of;
  const tasks = taskPairs(pairs, metric);
  const means = { a: tasks.map((task) => sideMean(task, 0)), b: tasks.map((task) => sideMean(task, 1)) };
  const differences = means.a.map((value, index) => value - (means.b[index] ?? 0));
  const drawn = estimates(differences, settings);
  const single = metric === "success" && tasks.every(({ values }) => values.length === 1);
  const { test, effect } = single
    ? verdictTest(
        tasks.flatMap(({ values }) => values),
        settings,
      )
    : meansTest(means, settings);
  const difference = single && effect !== null ? effect : drawn.difference;
  const sign = moreIsBetter(metric) ? 1 : -1;
  return {
    ...{ metric, a, b },
    pairs: tasks.reduce((sum, { values }) => sum + values.length, 0),
    tasks: tasks.length,
    means: tasks.length === 0 ? null : { a: meanOf(means.a), b: meanOf(means.b) },
    ...{ difference, test },
    effect:
      metric === "success"
        ? { kind: "risk_difference", estimate: difference }
        : { kind: effect === null ? "d_z" : "rank_biserial", estimate: effect ?? drawn.effect },
    won: differences.filter((each) => sign * each > 0).length,
    lost: differences.filter((each) => sign * each < 0).length,
    tied: differences.filter((each) => each === 0).length,
  };
}

function taskPairs(pairs: readonly EpisodePair[], metric: EvaluationMetric): readonly TaskPairs[] {
  const tasks = new Map<string, (readonly [number, number])[]>();
  for (const { task, a, b } of pairs) {
    const [mine, theirs] = [metricOf(a, metric), metricOf(b, metric)];
    if (mine === null || theirs === null) continue;
    const values = tasks.get(task);
    if (values === undefined) tasks.set(task, [[mine, theirs]]);
    else values.push([mine, theirs]);
  }
  return [...tasks].map(([task, values]) => ({ task, values }));
}

function sideMean({ values }: TaskPairs, side: 0 | 1): number {
  return meanOf(values.map((pair) => pair[side]));
}

function estimates(
  differences: readonly number[],
  { level, seed, resamples }: Evaluation["settings"],
): Readonly<Record<"difference" | "effect", Estimate>> {
  const found = bootstrapFigures(
    {
      n: differences.length,
      figures: (indices) => {
        const drawn = indices.map((index) => differences[index] ?? 0);
        return { difference: drawn.length === 0 ? null : meanOf(drawn), effect: cohensDz(drawn) };
      },
    },
    { level, seed, resamples, method: "auto" },
  );
  // So few tasks say nothing of how much tasks differ.
  if (differences.length >= LEAST_CLUSTERS) return found;
  const bare = (estimate: Estimate): Estimate =>
    estimate.value === null
      ? estimate
      : { ...estimate, interval: noInterval(level, "bootstrap_bca", "too_few") };
  return { difference: bare(found.difference), effect: bare(found.effect) };
}

/** Null where the differences do not vary. */
function cohensDz(differences: readonly number[]): number | null {
  if (differences.length < 2) return null;
  const deviation = Math.sqrt(sampleVariance(differences));
  return deviation === 0 ? null : meanOf(differences) / deviation;
}
