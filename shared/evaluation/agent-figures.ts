import type { AgentFigures, Evaluation, EvaluationMetric } from "../contracts/evaluation.ts";
import type { EvaluationEpisode } from "../contracts/evaluation-episode.ts";
import { meanOf } from "../statistics/mean.ts";
import { type Estimate, notDefined } from "../statistics/result.ts";
import { ascending, quantileOfSorted } from "../statistics/sorted-quantile.ts";
import { proportion } from "../statistics/wilson.ts";
import type { AgentEpisodes } from "./agent-episodes.ts";
import { METRICS, metricOf } from "./metrics.ts";
import { passAtK } from "./pass-at-k.ts";
import { taskBootstrap } from "./task-bootstrap.ts";
import { meansByTask, valuesByTask } from "./task-means.ts";

export interface FiguresOptions {
  readonly planned: number;
  readonly settings: Evaluation["settings"];
  /** `lengthBins` of all agents together. */
  readonly bins: readonly LengthBin[];
}

/** Figures of one agent by itself. */
export function agentFigures(
  { name, episodes }: Pick<AgentEpisodes, "name" | "episodes">,
  { planned, settings, bins }: FiguresOptions,
): AgentFigures {
  const done = episodes.filter(({ status }) => status === "done");
  return {
    agent: name,
    episodes: {
      planned,
      done: done.length,
      failed: episodes.length - done.length,
      missing: Math.max(0, planned - episodes.length),
    },
    tasks: new Set(done.map(({ task }) => task)).size,
    metrics: Object.fromEntries(
      METRICS.map((metric) => [metric, metricEstimate(done, { metric, settings })]),
    ) as Record<EvaluationMetric, Estimate>,
    pass_at_k: passAtK(done, settings),
    cost: costOf(episodes),
    seconds: secondsOf(done),
    return_by_length: bins.map(({ from, to }) => {
      const within = done.filter(({ steps }) => steps >= from && steps <= to);
      const returns = within.flatMap((episode) => metricOf(episode, "return") ?? []);
      return { from, to, episodes: within.length, return: returns.length === 0 ? null : meanOf(returns) };
    }),
  };
}

/**
 * Mean over tasks of the means over attempts, with a bootstrap interval over tasks. Shares of verdicts with one attempt a
 * task, and such that are 0 or 1, where a bootstrap gives nothing, have Wilson's interval over tasks.
 */
function metricEstimate(
  done: readonly EvaluationEpisode[],
  { metric, settings }: { readonly metric: EvaluationMetric; readonly settings: Evaluation["settings"] },
): Estimate {
  const values = valuesByTask(done, metric);
  const means = [...meansByTask(done, metric).values()];
  const n = means.length;
  if (n === 0) return notDefined(0, "too_few");
  const value = meanOf(means);
  const single = [...values.values()].every((each) => each.length === 1);
  if (metric === "success" && (single || value === 0 || value === 1)) {
    return proportion(Math.round(value * n), n, { level: settings.level });
  }
  return taskBootstrap(means, settings);
}

function costOf(episodes: readonly EvaluationEpisode[]): AgentFigures["cost"] {
  const prices = episodes.flatMap(({ cost_usd }) => cost_usd ?? []);
  const total = prices.reduce((sum, usd) => sum + usd, 0);
  const successes = episodes.filter((episode) => metricOf(episode, "success") === 1).length;
  return {
    total_usd: prices.length === 0 ? null : total,
    per_success_usd: prices.length === 0 || successes === 0 ? null : total / successes,
    priced_episodes: prices.length,
  };
}

function secondsOf(done: readonly EvaluationEpisode[]): AgentFigures["seconds"] {
  if (done.length === 0) return null;
  const sorted = done.map(({ seconds }) => seconds).sort(ascending);
  return {
    p50: quantileOfSorted(sorted, 0.5),
    p95: quantileOfSorted(sorted, 0.95),
    total: sorted.reduce((sum, each) => sum + each, 0),
  };
}

/** Turns of an episode, both ends included. */
export interface LengthBin {
  readonly from: number;
  readonly to: number;
}

/** Up to four bins of turns that hold about as many episodes each, of all agents together. */
export function lengthBins(episodes: readonly EvaluationEpisode[]): readonly LengthBin[] {
  const lengths = episodes.flatMap(({ status, steps }) => (status === "done" ? steps : [])).sort(ascending);
  const [least] = lengths;
  const greatest = lengths.at(-1);
  if (least === undefined || greatest === undefined) return [];
  const ends = [0.25, 0.5, 0.75].map((share) => Math.floor(quantileOfSorted(lengths, share)));
  const distinct = [...new Set([...ends.filter((end) => end < greatest), greatest])];
  return distinct.map((to, index) => ({ from: index === 0 ? least : (distinct[index - 1] ?? 0) + 1, to }));
}
