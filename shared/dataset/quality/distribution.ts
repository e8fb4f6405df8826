import { z } from "zod";
import { quantileOfSorted } from "../../statistics/sorted-quantile.ts";

/** How the values of one measure are spread. Quantiles are of type 7 (Hyndman and Fan 1996). */
export const distributionSchema = z.strictObject({
  n: z.int(),
  min: z.number(),
  p10: z.number(),
  p25: z.number(),
  median: z.number(),
  p75: z.number(),
  p90: z.number(),
  max: z.number(),
  mean: z.number(),
  /** `counts[i]` values lie from `edges[i]` to below `edges[i + 1]`, the last bin holds its end too. */
  histogram: z.strictObject({ edges: z.array(z.number()), counts: z.array(z.int()) }),
});

export type Distribution = z.infer<typeof distributionSchema>;

/** Values of one measure as they come: eight bytes each, in an array that doubles. */
export class Values {
  #values = new Float64Array(256);
  #count = 0;

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const longer = new Float64Array(this.#values.length * 2);
      longer.set(this.#values);
      this.#values = longer;
    }
    this.#values[this.#count] = value;
    this.#count += 1;
  }

  get all(): Float64Array {
    return this.#values.subarray(0, this.#count);
  }
}

/** null where there are no values. `edges` must hold all of them. */
export function distributionOf(
  parts: readonly Values[],
  edgesFor: (greatest: number) => readonly number[],
): Distribution | null {
  const sorted = new Float64Array(parts.reduce((sum, { all }) => sum + all.length, 0));
  let at = 0;
  for (const { all } of parts) {
    sorted.set(all, at);
    at += all.length;
  }
  const n = sorted.length;
  if (n === 0) return null;
  sorted.sort();
  const of = (p: number): number => rounded(quantileOfSorted(sorted, p));
  const max = sorted[n - 1] ?? 0;
  const edges = edgesFor(max);
  return {
    n,
    min: rounded(sorted[0] ?? 0),
    p10: of(0.1),
    p25: of(0.25),
    median: of(0.5),
    p75: of(0.75),
    p90: of(0.9),
    max: rounded(max),
    mean: rounded(sorted.reduce((sum, value) => sum + value, 0) / n),
    histogram: { edges: [...edges], counts: countsOf(sorted, edges) },
  };
}

/** 0, 1, 2, 3, 4, 6, 8, 12, 16, …: lengths differ by orders of magnitude. */
export function lengthEdges(greatest: number): readonly number[] {
  const edges = [0, 1, 2, 3];
  for (let power = 4; (edges.at(-1) ?? 0) <= greatest; power *= 2) edges.push(power, power * 1.5);
  while ((edges.at(-2) ?? 0) > greatest && edges.length > 2) edges.pop();
  return edges;
}

/** Twentieths from 0 to 1. */
export function shareEdges(): readonly number[] {
  return Array.from({ length: 21 }, (_, index) => index / 20);
}

function countsOf(sorted: Float64Array, edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length - 1).fill(0);
  let bin = 0;
  for (const value of sorted) {
    while (bin < counts.length - 1 && value >= (edges[bin + 1] ?? 0)) bin += 1;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
