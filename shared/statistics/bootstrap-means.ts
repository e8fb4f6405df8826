import {
  type BootstrapOptions,
  methodOf,
  replicatesInterval,
  resamplesOf,
  unsampledInterval,
} from "./bootstrap.ts";
import { levelOf, requireFinite, requireSameLength } from "./inputs.ts";
import { meanOf } from "./mean.ts";
import { createRandom } from "./random.ts";
import { type Estimate, notDefined } from "./result.ts";

/** Values and the cluster that each belongs to. */
export interface ClusteredValues {
  readonly values: readonly number[];
  readonly clusters: readonly string[];
}

/**
 * Means of several columns, such as the episodes of several agents, with bootstrap intervals from the same resamples.
 * Each resample draws clusters (tasks) whole, for all columns at once: a column of differences is then drawn as those
 * that it is the difference of. Columns may have values of different number in a cluster, or none. A draw adds sums and
 * counts by cluster, so that its time does not hang on the number of values.
 * @throws StatisticsInputError where lengths differ or a value is not finite
 */
export function bootstrapMeans<Name extends string>(
  columns: Readonly<Record<Name, ClusteredValues>>,
  options: Omit<BootstrapOptions, "clusters">,
): Readonly<Record<Name, Estimate>> {
  const level = levelOf(options);
  const resamples = resamplesOf(options);
  const names = Object.keys(columns) as Name[];
  const table = sumsByCluster(names.map((name) => columns[name]));
  const method = methodOf(options, table.clusters);
  const sampled = table.clusters >= 2;
  const replicates = sampled ? drawnMeans(table, { resamples, seed: options.seed }) : [];
  const estimates = names.map((name, column) => {
    const { values } = columns[name];
    const n = values.length;
    if (n === 0) return [name, notDefined(0, "too_few")] as const;
    const value = meanOf(values);
    const jackknife = sampled && method !== "percentile" ? meansWithout(table, column) : [];
    const interval = sampled
      ? replicatesInterval({ value, replicates: replicates[column] ?? [], jackknife, method, level })
      : unsampledInterval(method, level);
    return [name, { value, n, interval }] as const;
  });
  return Object.fromEntries(estimates) as Record<Name, Estimate>;
}

/** Row by cluster: for each column the sum of its values there less its first value, then their number. */
interface ClusterTable {
  readonly cells: Float64Array;
  /** The first value of each column: distances to it keep the digits that a large common offset would cost. */
  readonly firsts: readonly number[];
  readonly clusters: number;
  readonly columns: number;
}

function sumsByCluster(columns: readonly ClusteredValues[]): ClusterTable {
  const rows = new Map<string, number>();
  for (const [index, { values, clusters }] of columns.entries()) {
    requireSameLength(values, clusters);
    requireFinite(values, `values of column ${index}`);
    for (const name of clusters) if (!rows.has(name)) rows.set(name, rows.size);
  }
  const width = 2 * columns.length;
  const firsts = columns.map(({ values }) => values[0] ?? 0);
  const cells = new Float64Array(rows.size * width);
  for (const [column, { values, clusters }] of columns.entries()) {
    for (const [index, name] of clusters.entries()) {
      const at = (rows.get(name) ?? 0) * width + 2 * column;
      cells[at] = (cells[at] ?? 0) + (values[index] ?? 0) - (firsts[column] ?? 0);
      cells[at + 1] = (cells[at + 1] ?? 0) + 1;
    }
  }
  return { cells, firsts, clusters: rows.size, columns: columns.length };
}

/** For each column the means of the resamples; null where a resample drew none of its clusters. */
function drawnMeans(
  { cells, firsts, clusters, columns }: ClusterTable,
  { resamples, seed }: { readonly resamples: number; readonly seed: number },
): readonly (readonly (number | null)[])[] {
  const random = createRandom(seed);
  const width = 2 * columns;
  const means: (number | null)[][] = Array.from({ length: columns }, () => []);
  const sums = new Float64Array(width);
  for (let resample = 0; resample < resamples; resample += 1) {
    sums.fill(0);
    for (let drawn = 0; drawn < clusters; drawn += 1) {
      const start = random.int(clusters) * width;
      for (let cell = 0; cell < width; cell += 1) sums[cell] = (sums[cell] ?? 0) + (cells[start + cell] ?? 0);
    }
    for (const [column, of] of means.entries())
      of.push(meanFrom(firsts[column], { sum: sums[2 * column] ?? 0, count: sums[2 * column + 1] ?? 0 }));
  }
  return means;
}

/** The column's mean without each cluster in turn. */
function meansWithout(
  { cells, firsts, clusters, columns }: ClusterTable,
  column: number,
): readonly (number | null)[] {
  const at = (cluster: number): number => cluster * 2 * columns + 2 * column;
  let [sum, count] = [0, 0];
  for (let cluster = 0; cluster < clusters; cluster += 1) {
    sum += cells[at(cluster)] ?? 0;
    count += cells[at(cluster) + 1] ?? 0;
  }
  return Array.from({ length: clusters }, (_, cluster) =>
    meanFrom(firsts[column], {
      sum: sum - (cells[at(cluster)] ?? 0),
      count: count - (cells[at(cluster) + 1] ?? 0),
    }),
  );
}

function meanFrom(
  first: number | undefined,
  { sum, count }: { readonly sum: number; readonly count: number },
): number | null {
  return count === 0 ? null : (first ?? 0) + sum / count;
}
