import { percentileInterval } from "../statistics/bootstrap-interval.ts";
import { createRandom, type Random } from "../statistics/random.ts";
import { bootstrapReplicates, singleUnits } from "../statistics/resampling.ts";
import { DEFAULT_LEVEL, type Interval, noInterval, type PValue } from "../statistics/result.ts";
import { signFlipTest } from "../statistics/sign-flip.ts";
import {
  type Cluster,
  clustersOf,
  intervalMethod,
  LEAST_CLUSTERS,
  meanOfClusters,
  type ScoredRun,
} from "./run-clusters.ts";

/** Mean of the first group minus mean of the second. */
export interface Difference {
  /** `paired`: mean over shared tasks of the difference of their means. `unpaired`: difference of means over all runs. */
  readonly kind: "paired" | "unpaired";
  readonly value: number;
  readonly interval: Interval;
  readonly test: PValue;
  /** Runs that it rests on. */
  readonly runs: readonly [number, number];
  /** Tasks of each group that it rests on, and how many of them both have. */
  readonly tasks: readonly [number, number];
  readonly shared: number;
}

export interface DifferenceOptions {
  readonly seed: number;
  /** Confidence level, 0.95 unless given. */
  readonly level?: number;
  /** 2000 unless given. */
  readonly resamples?: number;
  /**
   * `where-most-shared`: paired if both groups share at least half of the tasks of the smaller one. Pairing on a few of
   * many tasks would throw the others away. `where-shared`: paired if they share two or more.
   */
  readonly pairing?: "where-most-shared" | "where-shared";
}

const RESAMPLES = 2000;
const PERMUTATIONS = 5000;

/**
 * Compares two groups of runs. Runs at one task are alike, so tasks are what is drawn.
 *
 * Paired: sign flips of the differences by task, bootstrap interval over tasks. Unpaired: tasks, with all their runs,
 * are dealt to the two groups at random (+1 rule, Phipson and Smyth 2010); percentile interval of a bootstrap that
 * draws each group's tasks by itself. Null where a group has no runs.
 */
export function differenceOf(
  first: Iterable<ScoredRun>,
  second: Iterable<ScoredRun>,
  options: DifferenceOptions,
): Difference | null {
  const [a, b] = [clustersOf(first), clustersOf(second)];
  if (a.length === 0 || b.length === 0) return null;
  const bTasks = new Map(b.map((cluster) => [cluster.task, cluster]));
  const shared = a.flatMap((one) => {
    const other = bTasks.get(one.task);
    return other === undefined ? [] : [[one, other] as const];
  });
  const least =
    options.pairing === "where-shared" ? 2 : Math.max(2, Math.ceil(Math.min(a.length, b.length) / 2));
  return shared.length >= least
    ? paired(shared, options)
    : unpaired({ a, b, shared: shared.length }, options);
}

function paired(
  tasks: readonly (readonly [Cluster, Cluster])[],
  { seed, level = DEFAULT_LEVEL, resamples = RESAMPLES }: DifferenceOptions,
): Difference {
  const differences = tasks.map(([one, other]) => one.sum / one.runs - other.sum / other.runs);
  const method = intervalMethod(tasks.length);
  const result = signFlipTest(differences, { seed, level, resamples, method });
  const n = tasks.length;
  const facts = {
    kind: "paired",
    runs: [
      tasks.reduce((sum, [one]) => sum + one.runs, 0),
      tasks.reduce((sum, [, other]) => sum + other.runs, 0),
    ],
    tasks: [n, n],
    shared: n,
  } as const;
  if (result.value === null) {
    const interval = noInterval(level, `bootstrap_${method}`, result.why);
    return { ...facts, value: 0, interval, test: { p: null, method: "exact", why: result.why } };
  }
  const interval = n < LEAST_CLUSTERS ? noInterval(level, `bootstrap_${method}`, "too_few") : result.interval;
  return { ...facts, value: result.value, interval, test: result.test };
}

function unpaired(
  {
    a,
    b,
    shared,
  }: { readonly a: readonly Cluster[]; readonly b: readonly Cluster[]; readonly shared: number },
  { seed, level = DEFAULT_LEVEL, resamples = RESAMPLES }: DifferenceOptions,
): Difference {
  const random = createRandom(seed);
  const value = (meanOfClusters(a, a.keys()) ?? 0) - (meanOfClusters(b, b.keys()) ?? 0);
  const means = (clusters: readonly Cluster[]): readonly (number | null)[] =>
    bootstrapReplicates({
      units: singleUnits(clusters.length),
      statistic: (indices) => meanOfClusters(clusters, indices),
      resamples,
      random,
    });
  const [first, second] = [means(a), means(b)];
  const enough = a.length > 1 && b.length > 1;
  const interval =
    Math.min(a.length, b.length) >= LEAST_CLUSTERS
      ? percentileInterval(
          first.map((mean, index) => (mean ?? 0) - (second[index] ?? 0)),
          level,
        )
      : noInterval(level, "bootstrap_percentile", "too_few");
  return {
    kind: "unpaired",
    value,
    interval,
    test: enough
      ? { p: dealtAgain({ a, b, value, random }), method: "monte_carlo" }
      : { p: null, method: "monte_carlo", why: "too_few" },
    runs: [runsOf(a), runsOf(b)],
    tasks: [a.length, b.length],
    shared,
  };
}

/** How often tasks that are dealt to the groups at random differ as much. */
function dealtAgain(of: {
  readonly a: readonly Cluster[];
  readonly b: readonly Cluster[];
  readonly value: number;
  readonly random: Random;
}): number {
  const all = [...of.a, ...of.b];
  const order = Uint32Array.from(all.keys());
  const total = { sum: all.reduce((sum, each) => sum + each.sum, 0), runs: runsOf(all) };
  let reached = 1;
  for (let draw = 0; draw < PERMUTATIONS; draw += 1) {
    let sum = 0;
    let runs = 0;
    for (let place = 0; place < of.a.length; place += 1) {
      const from = place + of.random.int(all.length - place);
      const [here, there] = [order[place] ?? 0, order[from] ?? 0];
      order[place] = there;
      order[from] = here;
      sum += all[there]?.sum ?? 0;
      runs += all[there]?.runs ?? 0;
    }
    const difference = sum / runs - (total.sum - sum) / (total.runs - runs);
    // Sums that differ by rounding only are equal.
    if (Math.abs(difference) >= Math.abs(of.value) * (1 - 1e-12) - 1e-15) reached += 1;
  }
  return reached / (PERMUTATIONS + 1);
}

function runsOf(clusters: readonly Cluster[]): number {
  return clusters.reduce((sum, { runs }) => sum + runs, 0);
}
