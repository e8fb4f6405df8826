import { type BootstrapOptions, bootstrap } from "./bootstrap.ts";
import { requireFinite } from "./inputs.ts";
import { type Estimate, notDefined } from "./result.ts";

/**
 * Krippendorff's alpha for interval data: 1 − observed / expected disagreement, the latter by squared differences
 * (Krippendorff 2004). Each unit holds the values that its annotators gave; units with fewer than two do not count.
 * `n` is the number of units that count, and the bootstrap draws units.
 */
export function krippendorffAlpha(
  units: readonly (readonly number[])[],
  options: BootstrapOptions,
): Estimate {
  const counted = units.filter((values) => values.length >= 2);
  for (const [index, values] of counted.entries()) requireFinite(values, `units[${index}]`);
  if (counted.length === 0) return notDefined(0, "too_few");
  const estimate = bootstrap(
    { n: counted.length, statistic: (indices) => alphaOf(indices.map((index) => counted[index] ?? [])) },
    options,
  );
  return estimate.value === null ? notDefined(counted.length, "constant") : estimate;
}

/** Null where no value differs from another. */
function alphaOf(units: readonly (readonly number[])[]): number | null {
  const all = units.flat();
  const expected = squaredDifferences(all) / (all.length - 1);
  if (!(expected > 0)) return null;
  let observed = 0;
  for (const values of units) observed += squaredDifferences(values) / (values.length - 1);
  return 1 - observed / expected;
}

/** Sum over all ordered pairs of (a − b)². */
function squaredDifferences(values: readonly number[]): number {
  const [first = 0] = values;
  let [sum, squares] = [0, 0];
  for (const value of values) {
    sum += value - first;
    squares += (value - first) ** 2;
  }
  return 2 * (values.length * squares - sum ** 2);
}
