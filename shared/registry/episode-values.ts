import type { EvaluationEpisode } from "../contracts/evaluation-episode.ts";
import type { EpisodePair } from "./pair-episodes.ts";

/** What is compared of episodes. */
export type ComparedMetric = "success" | "return" | "cost" | "steps" | "seconds" | "violations";

/** Mean of one task's attempts, of both models. */
export interface TaskValues {
  readonly task: string;
  readonly candidate: number;
  readonly champion: number;
}

export interface ValuesOf {
  /** By the name of the task; null where no episode that ended gives a bound to those that failed. */
  readonly tasks: readonly TaskValues[] | null;
  /** Episodes that ended without the number that is needed. */
  readonly without: { readonly candidate: number; readonly champion: number };
}

/**
 * The values of a metric by task. An episode that failed says nothing of its agent, so it counts as the worst for the
 * candidate and as the best for the champion: a model must not win by episodes that could not be run. Bounds are the
 * metric's range where it has one, else what episodes that ended show.
 */
export function taskValues(
  pairs: readonly EpisodePair[],
  {
    metric,
    range,
  }: { readonly metric: ComparedMetric; readonly range?: readonly [number, number] | undefined },
): ValuesOf {
  const ended = (side: "candidate" | "champion"): readonly (number | null)[] =>
    pairs.flatMap((pair) => (pair[side].status === "done" ? [finiteOf(pair[side], metric)] : []));
  const all = { candidate: ended("candidate"), champion: ended("champion") };
  const without = { candidate: lacking(all.candidate), champion: lacking(all.champion) };
  const known = { candidate: all.candidate.filter(isNumber), champion: all.champion.filter(isNumber) };
  const bounds = range ?? rangeOf(metric);
  const less = metric === "success" || metric === "return";
  // A bound for the champion is not drawn from the candidate's values: else a better candidate could count as worse.
  const both = [...known.candidate, ...known.champion];
  const worst = less ? (bounds?.[0] ?? Math.min(...both)) : (bounds?.[1] ?? Math.max(...both));
  const best = less
    ? (bounds?.[1] ?? Math.max(...known.champion))
    : (bounds?.[0] ?? Math.min(...known.champion));
  const sums = new Map<string, { candidate: number; champion: number; count: number }>();
  for (const { task, candidate, champion } of pairs) {
    const sum = sums.get(task) ?? { candidate: 0, champion: 0, count: 0 };
    sum.candidate += candidate.status === "done" ? (finiteOf(candidate, metric) ?? Number.NaN) : worst;
    sum.champion += champion.status === "done" ? (finiteOf(champion, metric) ?? Number.NaN) : best;
    sum.count += 1;
    sums.set(task, sum);
  }
  const tasks = [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([task, { candidate, champion, count }]) => ({
      task,
      candidate: candidate / count,
      champion: champion / count,
    }));
  const sound = tasks.every(
    ({ candidate, champion }) => Number.isFinite(candidate) && Number.isFinite(champion),
  );
  return { tasks: sound ? tasks : null, without };
}

function rangeOf(metric: ComparedMetric): readonly [number, number] | undefined {
  return metric === "success" || metric === "violations" ? [0, 1] : undefined;
}

/** null where the episode does not say; of violations, whether there was any. */
function finiteOf(episode: EvaluationEpisode, metric: ComparedMetric): number | null {
  const value = numberOf(episode, metric);
  return value !== null && Number.isFinite(value) ? value : null;
}

function numberOf(episode: EvaluationEpisode, metric: ComparedMetric): number | null {
  switch (metric) {
    case "success":
      return episode.success === null ? null : Number(episode.success);
    case "return":
      return episode.return;
    case "cost":
      return episode.cost_usd;
    case "steps":
      return episode.steps;
    case "seconds":
      return episode.seconds;
    case "violations":
      return Number.isInteger(episode.violations) ? Number(episode.violations > 0) : null;
  }
}

function lacking(values: readonly (number | null)[]): number {
  return values.filter((value) => value === null).length;
}

function isNumber(value: number | null): value is number {
  return value !== null;
}
