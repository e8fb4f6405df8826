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
import { type Estimate, type Interval, type LevelOption, noInterval, notDefined } from "./result.ts";

export interface BootstrapOptions extends LevelOption {
  readonly seed: number;
  /** 2000 unless given. */
  readonly resamples?: number;
  /**
   * Bias-corrected and accelerated unless given. `auto`: that where it is defined and there are at most 2000 units, for
   * it leaves out each of them in turn; else percentiles.
   */
  readonly method?: "percentile" | "bca" | "auto";
  /** The cluster of each observation: clusters are then drawn whole, for what they hold is alike. */
  readonly clusters?: readonly string[];
}

const DEFAULT_RESAMPLES = 2000;
const MOST_LEFT_OUT = 2000;

type Figures<Name extends string> = Readonly<Record<Name, number | null>>;

/**
 * Any statistic with its bootstrap interval. `statistic` is given indices of observations, some of them several times,
 * and returns null where it has no value.
 */
export function bootstrap(
  of: { readonly n: number; readonly statistic: (indices: readonly number[]) => number | null },
  options: BootstrapOptions,
): Estimate {
  const figures = (indices: readonly number[]): Figures<"value"> => ({ value: of.statistic(indices) });
  return bootstrapFigures({ n: of.n, figures }, options).value;
}

/** Several statistics with their intervals, all from the same resamples. */
export function bootstrapFigures<Name extends string>(
  of: { readonly n: number; readonly figures: (indices: readonly number[]) => Figures<Name> },
  options: BootstrapOptions,
): Readonly<Record<Name, Estimate>> {
  const { n, figures } = of;
  const level = levelOf(options);
  const values = figures(Array.from({ length: n }, (_, index) => index));
  const units = unitsOf(n, options.clusters);
  const method = methodOf(options, units.length);
  const sampled = units.length >= 2;
  const resamples = resamplesOf(options);
  const random = createRandom(options.seed);
  const replicates = sampled ? bootstrapReplicates({ units, statistic: figures, resamples, random }) : [];
  const jackknife = sampled && method !== "percentile" ? jackknifeReplicates(units, figures) : [];
  const intervalOf = (name: Name, value: number): Interval => {
    if (!sampled) return unsampledInterval(method, level);
    const drawn = replicates.map((one) => one[name]);
    const left = jackknife.map((one) => one[name]);
    return replicatesInterval({ value, replicates: drawn, jackknife: left, method, level });
  };
  const estimates = (Object.keys(values) as Name[]).map((name) => {
    const value = values[name];
    if (n === 0 || value === null) return [name, notDefined(n, n < 2 ? "too_few" : "constant")] as const;
    return [name, { value, n, interval: intervalOf(name, value) }] as const;
  });
  return Object.fromEntries(estimates) as Record<Name, Estimate>;
}

export type BootstrapMethod = NonNullable<BootstrapOptions["method"]>;

/** The interval of what was drawn; `jackknife` is not looked at for percentiles. */
export function replicatesInterval(of: {
  readonly value: number;
  readonly replicates: readonly (number | null)[];
  readonly jackknife: readonly (number | null)[];
  readonly method: BootstrapMethod;
  readonly level: number;
}): Interval {
  const { value, replicates, jackknife, method, level } = of;
  if (method === "percentile") return percentileInterval(replicates, level);
  const interval = bcaInterval({ value, replicates, jackknife, level });
  const unstable = interval.low === null && interval.why === "unstable";
  return method === "auto" && unstable ? percentileInterval(replicates, level) : interval;
}

/** The interval of fewer than two units, from which nothing is drawn. */
export function unsampledInterval(method: BootstrapMethod, level: number): Interval {
  return noInterval(level, INTERVALS[method], "too_few");
}

const INTERVALS = {
  percentile: "bootstrap_percentile",
  bca: "bootstrap_bca",
  auto: "bootstrap_bca",
} as const;

/** What `auto` comes to for so many units. */
export function methodOf(
  { method = "bca" }: Pick<BootstrapOptions, "method">,
  units: number,
): BootstrapMethod {
  return method === "auto" && units > MOST_LEFT_OUT ? "percentile" : method;
}

function unitsOf(n: number, clusters: readonly string[] | undefined): Units {
  if (clusters === undefined) return singleUnits(n);
  requireSameLength(Array.from({ length: n }), clusters);
  return clusterUnits(clusters);
}

/** @throws StatisticsInputError where they are too few for an interval */
export function resamplesOf({ resamples = DEFAULT_RESAMPLES }: Pick<BootstrapOptions, "resamples">): number {
  if (Number.isInteger(resamples) && resamples >= 100) return resamples;
  throw new StatisticsInputError(`${resamples} resamples are no number of them: give at least 100`);
}
