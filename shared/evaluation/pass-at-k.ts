import type { AgentFigures, Evaluation } from "../contracts/evaluation.ts";
import type { EvaluationEpisode } from "../contracts/evaluation-episode.ts";
import { LEAST_CLUSTERS } from "../leaderboard/run-clusters.ts";
import { bootstrap } from "../statistics/bootstrap.ts";
import { meanOf } from "../statistics/mean.ts";
import { noInterval } from "../statistics/result.ts";
import { proportion } from "../statistics/wilson.ts";
import { valuesByTask } from "./task-means.ts";

/** At most so many values of k. */
const MOST = 6;

/**
 * The chance that one of k attempts solves a task: 1 − C(n − c, k) / C(n, k) of c successes in n attempts, which is
 * unbiased (Chen et al. 2021, "Evaluating Large Language Models Trained on Code", equation 1), as a mean over tasks with
 * k verdicts or more. For k = 1, 2, 4, … and the greatest number of attempts.
 */
export function passAtK(
  episodes: readonly EvaluationEpisode[],
  { level, seed, resamples }: Evaluation["settings"],
): AgentFigures["pass_at_k"] {
  const tasks = [...valuesByTask(episodes, "success").values()];
  const most = Math.max(0, ...tasks.map(({ length }) => length));
  return ksUpTo(most).map((k) => {
    const chances = tasks.flatMap((verdicts) =>
      verdicts.length < k ? [] : passChance(verdicts.length, { successes: sum(verdicts), k }),
    );
    const n = chances.length;
    const value = meanOf(chances);
    if (value === 0 || value === 1) return { k, estimate: proportion(value * n, n, { level }) };
    if (n < LEAST_CLUSTERS)
      return { k, estimate: { value, n, interval: noInterval(level, "bootstrap_bca", "too_few") } };
    const statistic = (indices: readonly number[]) => meanOf(indices.map((index) => chances[index] ?? 0));
    return { k, estimate: bootstrap({ n, statistic }, { level, seed, resamples, method: "auto" }) };
  });
}

function ksUpTo(most: number): readonly number[] {
  const powers = Array.from({ length: MOST }, (_, index) => 2 ** index).filter((k) => k < most);
  return most === 0 ? [] : [...powers, most];
}

function passChance(n: number, { successes, k }: { readonly successes: number; readonly k: number }): number {
  const failures = n - successes;
  if (failures < k) return 1;
  let none = 1;
  for (let drawn = 0; drawn < k; drawn += 1) none *= (failures - drawn) / (n - drawn);
  return 1 - none;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
