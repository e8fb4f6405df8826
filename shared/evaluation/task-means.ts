import type { EvaluationMetric } from "../contracts/evaluation.ts";
import type { EvaluationEpisode } from "../contracts/evaluation-episode.ts";
import { meanOf } from "../statistics/mean.ts";
import { metricOf } from "./metrics.ts";

/** Values of a metric by task, in the order of the tasks' names, so that the same seed gives the same draws. */
export function valuesByTask(
  episodes: readonly EvaluationEpisode[],
  metric: EvaluationMetric,
): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (const episode of episodes) {
    const value = metricOf(episode, metric);
    if (value === null) continue;
    const values = found.get(episode.task);
    if (values === undefined) found.set(episode.task, [value]);
    else values.push(value);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Mean of a metric by task. */
export function meansByTask(
  episodes: readonly EvaluationEpisode[],
  metric: EvaluationMetric,
): ReadonlyMap<string, number> {
  return new Map([...valuesByTask(episodes, metric)].map(([task, values]) => [task, meanOf(values)]));
}
