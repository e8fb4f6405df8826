import type { Evaluation } from "../contracts/evaluation.ts";
import { LEAST_CLUSTERS } from "../leaderboard/run-clusters.ts";
import { bootstrapMeans } from "../statistics/bootstrap-means.ts";
import { type Estimate, noInterval } from "../statistics/result.ts";

/**
 * The mean of one value a task, with a bootstrap interval that draws tasks. Fewer than five of them say nothing of how
 * much tasks differ and give no interval.
 */
export function taskBootstrap(
  values: readonly number[],
  { level, seed, resamples }: Pick<Evaluation["settings"], "level" | "seed" | "resamples">,
): Estimate {
  const clusters = values.map((_, index) => String(index));
  const options = { level, seed, resamples, method: "auto" } as const;
  const { mean } = bootstrapMeans({ mean: { values, clusters } }, options);
  if (mean.value === null || values.length >= LEAST_CLUSTERS) return mean;
  return { ...mean, interval: noInterval(level, "bootstrap_bca", "too_few") };
}
