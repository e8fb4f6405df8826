import { z } from "zod";
import { bootstrap } from "../statistics/bootstrap.ts";
import { holmAdjusted } from "../statistics/holm.ts";
import { DEFAULT_LEVEL, type Estimate, noInterval, notDefined } from "../statistics/result.ts";
import { proportion } from "../statistics/wilson.ts";
import { type Difference, differenceOf } from "./difference.ts";
import {
  clustersOf,
  intervalMethod,
  LEAST_CLUSTERS,
  meanOfClusters,
  type ScoredRun,
} from "./run-clusters.ts";

export const metricSchema = z.enum(["reward", "success", "process"]);
export type Metric = z.infer<typeof metricSchema>;

export const groupFieldSchema = z.enum(["agent", "model", "domain", "task"]);
export type GroupField = z.infer<typeof groupFieldSchema>;

/** A trajectory as the leaderboard counts it. */
export interface LeaderboardRun {
  readonly id: string;
  readonly agent: string;
  readonly model: string | null;
  readonly domain: string;
  readonly taskKey: string;
  readonly reward: number | null;
  readonly process: number | null;
  readonly outcome: number | null;
  readonly success: boolean | null;
  readonly agentSteps: number;
}

export interface LeaderboardOptions {
  readonly by: readonly GroupField[];
  readonly metric: Metric;
  /** Groups with fewer runs that have the metric are not ranked. */
  readonly minRuns: number;
  readonly seed: number;
  /** Confidence level, 0.95 unless given. */
  readonly level?: number;
  readonly resamples?: number;
}

/** How a group stands to the one ranked next below it. */
export interface Separation extends Difference {
  /** p over all neighbours, by Holm's method; null where there is no test. */
  readonly adjusted: number | null;
  readonly separable: boolean;
}

export interface LeaderboardGroup {
  /** Values of the fields it is grouped by; null: the log does not say. */
  readonly group: Readonly<Partial<Record<GroupField, string | null>>>;
  readonly runs: number;
  readonly tasks: number;
  /** Mean of the metric over its runs that have it, with a bootstrap interval over tasks. */
  readonly metric: Estimate;
  readonly reward: Estimate;
  /** Share that succeeded of those with a verdict; Wilson's interval, which takes runs for independent. */
  readonly success: Estimate;
  /** Agent steps. */
  readonly steps: Estimate;
  /** Runs whose reward rests on an outcome; others have a reward of another kind. */
  readonly withOutcome: number;
}

export interface RankedGroup extends LeaderboardGroup {
  /** Place by the metric, from 1; equal values share the better place. */
  readonly rank: number;
  /** Groups of one tier follow each other without a separable neighbour. The ends of a long tier may still differ. */
  readonly tier: number;
  /** null for the last one. */
  readonly next: Separation | null;
}

export interface Leaderboard {
  readonly ranked: readonly RankedGroup[];
  /** Too few runs to rank, the larger ones first. */
  readonly unranked: readonly LeaderboardGroup[];
}

/** Groups runs and ranks the groups by a metric. The same runs and seed give the same result. */
export function leaderboard(runs: Iterable<LeaderboardRun>, options: LeaderboardOptions): Leaderboard {
  const all = [...Map.groupBy(runs, (run) => JSON.stringify(options.by.map((field) => fieldOf(run, field))))]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, members]) => ({ members, facts: groupFacts(members, options) }));
  const isRanked = ({ facts }: (typeof all)[number]): boolean =>
    facts.metric.value !== null && facts.metric.n >= options.minRuns;
  const ranked = all
    .filter(isRanked)
    .sort((a, b) => (b.facts.metric.value ?? 0) - (a.facts.metric.value ?? 0));
  const unranked = all.filter((each) => !isRanked(each)).sort((a, b) => b.facts.runs - a.facts.runs);
  const separations = separationsOf(
    ranked.map(({ members }) =>
      scoredRuns(members, { by: options.by, value: (run) => metricOf(run, options.metric) }),
    ),
    options,
  );
  let tier = 1;
  return {
    ranked: ranked.map(({ facts }, index) => {
      if (separations[index - 1]?.separable === true) tier += 1;
      const rank = 1 + ranked.findIndex((other) => other.facts.metric.value === facts.metric.value);
      return { rank, tier, ...facts, next: separations[index] ?? null };
    }),
    unranked: unranked.map(({ facts }) => facts),
  };
}

export function metricOf(run: LeaderboardRun, metric: Metric): number | null {
  if (metric === "success") return run.success === null ? null : Number(run.success);
  return run[metric];
}

function separationsOf(
  groups: readonly (readonly ScoredRun[])[],
  options: LeaderboardOptions,
): readonly (Separation | null)[] {
  const level = options.level ?? DEFAULT_LEVEL;
  const differences = groups.map((group, index) => {
    const next = groups[index + 1];
    return next === undefined ? null : differenceOf(group, next, options);
  });
  const adjusted = holmAdjusted(differences.map((difference) => difference?.test.p ?? null));
  return differences.map((difference, index) => {
    if (difference === null) return null;
    const p = adjusted[index] ?? null;
    // A paired difference may go against the ranking, which is over all runs: then the rank is not borne out.
    const separable = p !== null && p <= 1 - level && difference.value > 0;
    return { ...difference, adjusted: p, separable };
  });
}

/** Figures of one group of runs. */
export function groupFacts(
  members: readonly LeaderboardRun[],
  options: LeaderboardOptions,
): LeaderboardGroup {
  const [first] = members;
  const estimate = (value: (run: LeaderboardRun) => number | null): Estimate =>
    meanEstimate(scoredRuns(members, { by: options.by, value }), options);
  const verdicts = members.flatMap(({ success }) => success ?? []);
  return {
    group:
      first === undefined
        ? {}
        : Object.fromEntries(options.by.map((field) => [field, fieldOf(first, field)])),
    runs: members.length,
    tasks: new Set(members.map(({ taskKey }) => taskKey)).size,
    metric: estimate((run) => metricOf(run, options.metric)),
    reward: estimate(({ reward }) => reward),
    success: proportion(verdicts.filter(Boolean).length, verdicts.length, levelOf(options)),
    steps: estimate(({ agentSteps }) => agentSteps),
    withOutcome: members.filter(({ outcome }) => outcome !== null).length,
  };
}

/** Runs that have the value. Where tasks are the groups, each run stands for itself. */
function scoredRuns(
  members: readonly LeaderboardRun[],
  {
    by,
    value,
  }: { readonly by: readonly GroupField[]; readonly value: (run: LeaderboardRun) => number | null },
): readonly ScoredRun[] {
  const byTask = by.includes("task");
  return members.flatMap((run) => {
    const own = value(run);
    return own === null ? [] : [{ task: byTask ? run.id : run.taskKey, value: own }];
  });
}

/** Mean over runs with a bootstrap interval over tasks. `n` counts runs. */
function meanEstimate(
  runs: readonly ScoredRun[],
  options: Pick<LeaderboardOptions, "seed" | "level" | "resamples">,
): Estimate {
  const clusters = clustersOf(runs);
  if (clusters.length === 0) return notDefined(0, "too_few");
  const { seed, resamples } = options;
  const method = intervalMethod(clusters.length);
  if (clusters.length < LEAST_CLUSTERS) {
    const interval = noInterval(options.level ?? DEFAULT_LEVEL, `bootstrap_${method}`, "too_few");
    return { value: meanOfClusters(clusters, clusters.keys()) ?? 0, n: runs.length, interval };
  }
  const estimate = bootstrap(
    { n: clusters.length, statistic: (indices) => meanOfClusters(clusters, indices) },
    {
      seed,
      ...(resamples === undefined ? {} : { resamples }),
      ...levelOf(options),
      method,
    },
  );
  return { ...estimate, n: runs.length };
}

function levelOf({ level }: Pick<LeaderboardOptions, "level">): { readonly level?: number } {
  return level === undefined ? {} : { level };
}

function fieldOf(run: LeaderboardRun, field: GroupField): string | null {
  return field === "task" ? run.taskKey : run[field];
}
