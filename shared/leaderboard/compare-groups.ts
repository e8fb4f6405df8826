import { type Difference, differenceOf } from "./difference.ts";
import {
  groupFacts,
  type LeaderboardGroup,
  type LeaderboardRun,
  type Metric,
  metricOf,
} from "./leaderboard.ts";
import { clustersOf, type ScoredRun } from "./run-clusters.ts";

export interface GroupComparison {
  readonly a: LeaderboardGroup;
  readonly b: LeaderboardGroup;
  /** First minus second; null where a group has no run with the metric. */
  readonly difference: Difference | null;
  /** Tasks that both have, by the size of the difference of their means, the largest first. */
  readonly tasks: readonly TaskDifference[];
}

export interface TaskDifference {
  readonly task: string;
  readonly a: { readonly runs: number; readonly mean: number };
  readonly b: { readonly runs: number; readonly mean: number };
  readonly difference: number;
}

/** Compares two groups of runs: task by task where they share two or more, else as a whole. */
export function compareGroups(
  a: readonly LeaderboardRun[],
  b: readonly LeaderboardRun[],
  options: { readonly metric: Metric; readonly seed: number; readonly level: number },
): GroupComparison {
  const facts = { ...options, by: [], minRuns: 1 };
  const [first, second] = [scored(a, options.metric), scored(b, options.metric)];
  const others = new Map(clustersOf(second).map((cluster) => [cluster.task, cluster]));
  const tasks = clustersOf(first).flatMap((one): readonly TaskDifference[] => {
    const other = others.get(one.task);
    if (other === undefined) return [];
    const [mine, theirs] = [one.sum / one.runs, other.sum / other.runs];
    return [
      {
        task: one.task,
        a: { runs: one.runs, mean: mine },
        b: { runs: other.runs, mean: theirs },
        difference: mine - theirs,
      },
    ];
  });
  return {
    a: groupFacts(a, facts),
    b: groupFacts(b, facts),
    difference: differenceOf(first, second, { ...options, pairing: "where-shared" }),
    tasks: tasks.sort((x, y) => Math.abs(y.difference) - Math.abs(x.difference)),
  };
}

function scored(runs: readonly LeaderboardRun[], metric: Metric): readonly ScoredRun[] {
  return runs.flatMap((run) => {
    const value = metricOf(run, metric);
    return value === null ? [] : [{ task: run.taskKey, value }];
  });
}
