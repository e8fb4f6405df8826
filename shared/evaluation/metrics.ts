import { type EvaluationMetric, evaluationMetricSchema } from "../contracts/evaluation.ts";
import type { EvaluationEpisode } from "../contracts/evaluation-episode.ts";

export const METRICS: readonly EvaluationMetric[] = evaluationMetricSchema.options;

/** Null where the episode does not have it, and for failed episodes, which say nothing of the agent. */
export function metricOf(episode: EvaluationEpisode, metric: EvaluationMetric): number | null {
  if (episode.status === "failed") return null;
  if (metric === "success") return episode.success === null ? null : Number(episode.success);
  if (metric !== "return_per_step") return episode[metric];
  return episode.return === null || episode.steps === 0 ? null : episode.return / episode.steps;
}

/** Whether more of it is better. */
export function moreIsBetter(metric: EvaluationMetric): boolean {
  return metric === "success" || metric === "return" || metric === "return_per_step";
}
