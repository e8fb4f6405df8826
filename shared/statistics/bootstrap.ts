import { bcaInterval, percentileInterval } from "./bootstrap-interval.ts";
import { levelOf, requireSameLength, StatisticsInputError } from "./inputs.ts";
import { createRandom } from "./random.ts";
import {
  bootstrapReplicates,
  clusterUnits,
  jackknifeReplicates,
  singleUnits,
  type Units,
} from "./resampling.ts";
import { type Estimate, type LevelOption, noInterval, notDefined } from "./result.ts";

export interface BootstrapOptions extends LevelOption {
  readonly seed: number;
  /** 2000 unless given. */
  readonly resamples?: number;
  /** Bias-corrected and accelerated unless given. */
  readonly method?: "percentile" | "bca";
  /** The cluster of each observation: clusters are then drawn whole, for what they hold is alike. */
  readonly clusters?: readonly string[];
}

const DEFAULT_RESAMPLES = 2000;

/**
 * Any statistic with its bootstrap interval. `statistic` is given indices of observations, some of them several times,
 * and returns null where it has no value.
 */
export function bootstrap(
  of: { readonly n: number; readonly statistic: (indices: readonly number[]) => number | null },
  options: BootstrapOptions,
): Estimate {
  const { n, statistic } = of;
  const level = levelOf(options);
  const value = n === 0 ? null : statistic(Array.from({ length: n }, (_, index) => index));
  if (value === null) return notDefined(n, n < 2 ? "too_few" : "constant");
  const units = unitsOf(n, options.clusters);
  const method = options.method ?? "bca";
  if (units.length < 2) return { value, n, interval: noInterval(level, `bootstrap_${method}`, "too_few") };
  const replicates = bootstrapReplicates({
    units,
    statistic,
    resamples: resamplesOf(options),
    random: createRandom(options.seed),
  });
  const interval =
    method === "percentile"
      ? percentileInterval(replicates, level)
      : bcaInterval({ value, replicates, jackknife: jackknifeReplicates(units, statistic), level });
  return { value, n, interval };
}

function unitsOf(n: number, clusters: readonly string[] | undefined): Units {
  if (clusters === undefined) return singleUnits(n);
  requireSameLength(Array.from({ length: n }), clusters);
  return clusterUnits(clusters);
}

function resamplesOf({ resamples = DEFAULT_RESAMPLES }: BootstrapOptions): number {
  if (Number.isInteger(resamples) && resamples >= 100) return resamples;
  throw new StatisticsInputError(`${resamples} resamples are no number of them: give at least 100`);
}
