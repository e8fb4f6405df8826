import { tCritical } from "./distributions.ts";
import { levelOf, requirePaired } from "./inputs.ts";
import { meanOf } from "./mean.ts";
import { type PairCounts, pairCounts } from "./pair-counts.ts";
import { type Estimate, type Interval, type LevelOption, noInterval, notDefined } from "./result.ts";

/** Share of pairs that both sides order alike, or null without a pair. */
export function agreementOf({ pairs, concordant, tiedBoth }: PairCounts): number | null {
  return pairs === 0 ? null : (concordant + tiedBoth) / pairs;
}

/**
 * Pairwise agreement: the share of pairs in which x and y differ in the same direction or are both tied; a tie on one
 * side only is a disagreement. Pairs share observations, so the interval is by the jackknife over observations.
 */
export function pairwiseAgreement(
  x: readonly number[],
  y: readonly number[],
  options: LevelOption = {},
): Estimate {
  requirePaired(x, y);
  const level = levelOf(options);
  const n = x.length;
  const value = agreementOf(pairCounts(x, y));
  if (value === null) return notDefined(n, "too_few");
  return { value, n, interval: jackknifeInterval(agreeingPairs(x, y), { value, level }) };
}

function jackknifeInterval(
  agreeing: readonly number[],
  { value, level }: { readonly value: number; readonly level: number },
): Interval {
  const n = agreeing.length;
  if (n < 3) return noInterval(level, "jackknife_t", "too_few");
  const total = (value * n * (n - 1)) / 2;
  const without = agreeing.map((count) => (total - count) / (((n - 1) * (n - 2)) / 2));
  const centre = meanOf(without);
  const squares = without.reduce((sum, one) => sum + (one - centre) ** 2, 0);
  const error = Math.sqrt(((n - 1) / n) * squares);
  if (error < 1e-15) return noInterval(level, "jackknife_t", "no_variance");
  const half = tCritical(level, n - 1) * error;
  return { level, method: "jackknife_t", low: Math.max(0, value - half), high: Math.min(1, value + half) };
}

/** For each observation, with how many others it forms a pair that x and y order alike. O(n log n). */
export function agreeingPairs(x: readonly number[], y: readonly number[]): number[] {
  const levels = [...new Set(y)].sort((a, b) => a - b);
  const place = new Map(levels.map((value, index) => [value, index]));
  const rows = x.map((value, index) => ({ x: value, y: place.get(y[index] ?? 0) ?? 0, index }));
  const counts = new Array<number>(x.length).fill(0);
  const byX = rows.toSorted((a, b) => a.x - b.x);
  addBelow({ rows: byX, levels: levels.length }, counts);
  const mirrored = byX.toReversed().map((row) => ({ ...row, y: levels.length - 1 - row.y }));
  addBelow({ rows: mirrored, levels: levels.length }, counts);
  const alike = new Map<string, number>();
  const key = (row: { readonly x: number; readonly y: number }): string => `${row.x} ${row.y}`;
  for (const row of rows) alike.set(key(row), (alike.get(key(row)) ?? 0) + 1);
  for (const row of rows) counts[row.index] = (counts[row.index] ?? 0) + (alike.get(key(row)) ?? 1) - 1;
  return counts;
}

interface Row {
  readonly x: number;
  readonly y: number;
  readonly index: number;
}

/** Adds to each count the rows of an earlier x with a lower y; rows of one x stand together. A Fenwick tree counts. */
function addBelow(
  { rows, levels }: { readonly rows: readonly Row[]; readonly levels: number },
  counts: number[],
): void {
  const tree = new Array<number>(levels + 1).fill(0);
  let start = 0;
  while (start < rows.length) {
    let end = start;
    while (end < rows.length && rows[end]?.x === rows[start]?.x) end += 1;
    const group = rows.slice(start, end);
    for (const { y, index } of group) {
      let below = 0;
      for (let node = y; node > 0; node -= node & -node) below += tree[node] ?? 0;
      counts[index] = (counts[index] ?? 0) + below;
    }
    for (const { y } of group) {
      for (let node = y + 1; node <= levels; node += node & -node) tree[node] = (tree[node] ?? 0) + 1;
    }
    start = end;
  }
}
