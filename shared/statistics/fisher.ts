import type { Alternative } from "./distributions.ts";

/** Successes and failures of the first group, then of the second. */
export interface FourCounts {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

/**
 * Fisher's exact p-value (1935) of a table with fixed margins: two-sided, all tables no likelier than this one count
 * (likelihoods that differ by rounding only are equal).
 */
export function fisherP({ a, b, c, d }: FourCounts, alternative: Alternative): number {
  const [row, column, all] = [a + b, a + c, a + b + c + d];
  const [least, most] = [Math.max(0, row + column - all), Math.min(row, column)];
  const weights = tableWeights({ row, column, all, least, most });
  const observed = weights[a - least] ?? 0;
  const counts = (weight: number, index: number): boolean =>
    alternative === "two_sided"
      ? weight <= observed * (1 + 1e-12)
      : alternative === "greater"
        ? index >= a - least
        : index <= a - least;
  let [reached, total] = [0, 0];
  for (const [index, weight] of weights.entries()) {
    total += weight;
    if (counts(weight, index)) reached += weight;
  }
  return Math.min(1, reached / total);
}

/** How likely each upper left count is, relative to the likeliest, from which the others follow by ratios. */
function tableWeights(of: {
  readonly row: number;
  readonly column: number;
  readonly all: number;
  readonly least: number;
  readonly most: number;
}): Float64Array {
  const { row, column, all, least, most } = of;
  const weights = new Float64Array(most - least + 1);
  // P(k + 1) / P(k) of the hypergeometric distribution.
  const ratio = (k: number): number => ((row - k) * (column - k)) / ((k + 1) * (all - row - column + k + 1));
  const mode = Math.min(most, Math.max(least, Math.floor(((row + 1) * (column + 1)) / (all + 2))));
  weights[mode - least] = 1;
  for (let k = mode; k < most; k += 1) weights[k + 1 - least] = (weights[k - least] ?? 0) * ratio(k);
  for (let k = mode; k > least; k -= 1) weights[k - 1 - least] = (weights[k - least] ?? 0) / ratio(k - 1);
  return weights;
}
