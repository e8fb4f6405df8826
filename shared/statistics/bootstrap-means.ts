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
  const table = tableOf(names.map((name) => columns[name]));
  const method = methodOf(options, table.clusters);
  const sampled = table.clusters >= 2;
  const replicates = sampled ? drawnMeans(table, { resamples, seed: options.seed }) : [];
  const estimates = names.map((name, index) => {
    const { values } = columns[name];
    const n = values.length;
    const column = table.columns[index];
    if (n === 0 || column === undefined) return [name, notDefined(0, "too_few")] as const;
    const value = meanOf(values);
    const jackknife = sampled && method !== "percentile" ? meansWithout(column) : [];
    const interval = sampled
      ? replicatesInterval({ value, replicates: replicates[index] ?? [], jackknife, method, level })
      : unsampledInterval(method, level);
    return [name, { value, n, interval }] as const;
  });
  return Object.fromEntries(estimates) as Record<Name, Estimate>;
}

/** What a mean needs of each cluster. */
interface Column {
  /** Sums are of distances to it: that keeps the digits that a large common offset would cost. */
  readonly first: number;
  readonly sums: Float64Array;
  readonly counts: Float64Array;
  /** The count that all clusters have, or null where they differ. */
  readonly count: number | null;
}

interface Table {
  readonly clusters: number;
  readonly columns: readonly Column[];
}

function tableOf(columns: readonly ClusteredValues[]): Table {
  const rows = new Map<string, number>();
  for (const [index, { values, clusters }] of columns.entries()) {
    requireSameLength(values, clusters);
    requireFinite(values, `values of column ${index}`);
    for (const name of clusters) if (!rows.has(name)) rows.set(name, rows.size);
  }
  return { clusters: rows.size, columns: columns.map((column) => columnOf(column, rows)) };
}

function columnOf({ values, clusters }: ClusteredValues, rows: ReadonlyMap<string, number>): Column {
  const first = values[0] ?? 0;
  const [sums, counts] = [new Float64Array(rows.size), new Float64Array(rows.size)];
  for (const [index, name] of clusters.entries()) {
    const row = rows.get(name) ?? 0;
    sums[row] = (sums[row] ?? 0) + (values[index] ?? 0) - first;
    counts[row] = (counts[row] ?? 0) + 1;
  }
  const [count = 0] = counts;
  return { first, sums, counts, count: counts.every((one) => one === count) ? count : null };
}

/** For each column the means of the resamples; null where a resample drew none of its clusters. */
function drawnMeans(
  { clusters, columns }: Table,
  { resamples, seed }: { readonly resamples: number; readonly seed: number },
): readonly (readonly (number | null)[])[] {
  const random = createRandom(seed);
  const means: (number | null)[][] = columns.map(() => []);
  const drawn = new Uint32Array(clusters);
  for (let resample = 0; resample < resamples; resample += 1) {
    for (let place = 0; place < clusters; place += 1) drawn[place] = random.int(clusters);
    for (const [index, { first, sums, counts, count }] of columns.entries()) {
      const total = count === null ? sumAt(counts, drawn) : count * clusters;
      means[index]?.push(meanFrom(first, { sum: sumAt(sums, drawn), count: total }));
    }
  }
  return means;
}

/** Four sums at a time: one alone would wait for each addition before the next. */
function sumAt(values: Float64Array, places: Uint32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = places.length - (places.length % 4);
  for (let index = 0; index < whole; index += 4) {
    a += values[places[index] ?? 0] ?? 0;
    b += values[places[index + 1] ?? 0] ?? 0;
    c += values[places[index + 2] ?? 0] ?? 0;
    d += values[places[index + 3] ?? 0] ?? 0;
  }
  for (let index = whole; index < places.length; index += 1) a += values[places[index] ?? 0] ?? 0;
  return a + b + (c + d);
}

/** The column's mean without each cluster in turn. */
function meansWithout({ first, sums, counts }: Column): readonly (number | null)[] {
  const whole = { sum: totalOf(sums), count: totalOf(counts) };
  return Array.from(sums, (sum, row) =>
    meanFrom(first, { sum: whole.sum - sum, count: whole.count - (counts[row] ?? 0) }),
  );
}

function totalOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function meanFrom(
  first: number,
  { sum, count }: { readonly sum: number; readonly count: number },
): number | null {
  return count === 0 ? null : first + sum / count;
}
