import type { PromotionPolicy } from "../contracts/promotion-policy.ts";
import { taskValues } from "../registry/episode-values.ts";
import { pairEpisodes } from "../registry/pair-episodes.ts";
import type { EvaluatedRun } from "./works.ts";

/**
 * Share of tasks at which the candidate did better than the champion, ties counted half: 0.5 where training changed
 * nothing, whatever the metric's unit. null without a champion, or where nothing can be compared.
 */
export function wonShare(evaluated: EvaluatedRun, { metric, range }: PromotionPolicy): number | null {
  const { candidate, champion, planned } = evaluated;
  if (champion === null) return null;
  const { pairs } = pairEpisodes({ candidate, champion, planned });
  const { tasks, without } = taskValues(pairs, { metric, range });
  if (tasks === null || tasks.length === 0 || without.candidate + without.champion > 0) return null;
  const won = tasks.reduce((sum, each) => sum + (Math.sign(each.candidate - each.champion) + 1) / 2, 0);
  return won / tasks.length;
}
