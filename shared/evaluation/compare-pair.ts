import type { AgentComparison, Evaluation, EvaluationMetric } from "../contracts/evaluation.ts";
import { cohensDz } from "../statistics/cohens-d.ts";
import { meanOf } from "../statistics/mean.ts";
import { metricOf, moreIsBetter } from "./metrics.ts";
import { meansTest, verdictTest } from "./paired-test.ts";
import type { EpisodePair } from "./pairs.ts";
import { taskBootstrap } from "./task-bootstrap.ts";

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
  const single = metric === "success" && tasks.every(({ values }) => values.length === 1);
  const { test, effect } = single
    ? verdictTest(
        tasks.flatMap(({ values }) => values),
        settings,
      )
    : meansTest(means, settings);
  const difference = single && effect !== null ? effect : taskBootstrap(differences, settings);
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
        : effect === null
          ? { kind: "d_z", estimate: cohensDz(means.a, means.b, { level: settings.level }) }
          : { kind: "rank_biserial", estimate: effect },
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
