import type { BootstrapOptions } from "./bootstrap.ts";
import { bootstrapMeans } from "./bootstrap-means.ts";
import type { Estimate } from "./result.ts";

/**
 * The mean of values that come in clusters, such as episodes of tasks, with a bootstrap interval that draws clusters
 * whole: what one holds is alike, so n episodes of few tasks say less than n tasks. `clusters[i]` names that of
 * `values[i]`.
 * @throws StatisticsInputError where lengths differ or a value is not finite
 */
export function clusterBootstrap(
  of: { readonly values: readonly number[]; readonly clusters: readonly string[] },
  options: Omit<BootstrapOptions, "clusters">,
): Estimate {
  return bootstrapMeans({ mean: of }, options).mean;
}
