import { type BootstrapOptions, bootstrap } from "./bootstrap.ts";
import { requireFinite } from "./inputs.ts";
import { meanOf } from "./mean.ts";
import { createRandom } from "./random.ts";
import { type Defined, notDefined, type PValue, type Undefined } from "./result.ts";

/** Up to so many differences all sign patterns are tried. */
export const EXACT_UP_TO = 16;
const DRAWS = 10_000;

/**
 * Paired permutation test of a mean difference: under the null hypothesis each difference is as likely to have the
 * other sign (Fisher 1935). Exact for up to 16 differences, else by 10 000 random patterns, the observed one counted in
 * (Phipson and Smyth 2010). Bootstrap interval of the mean.
 */
export function signFlipTest(
  differences: readonly number[],
  options: BootstrapOptions,
): (Defined & { readonly test: PValue }) | Undefined {
  requireFinite(differences, "differences");
  const n = differences.length;
  const estimate = bootstrap(
    { n, statistic: (indices) => meanOf(indices.map((index) => differences[index] ?? 0)) },
    options,
  );
  if (estimate.value === null) return notDefined(n, "too_few");
  return { ...estimate, test: signFlips(differences, options.seed) };
}

/** The test alone; `seed` is of the random patterns. An empty list has p = 1. */
export function signFlips(
  differences: readonly number[],
  seed: number,
): { readonly p: number; readonly method: "exact" | "monte_carlo" } {
  return differences.length <= EXACT_UP_TO ? exact(differences) : drawn(differences, seed);
}

/** Sums that differ by rounding only are equal. */
function reaches(sum: number, observed: number): boolean {
  return Math.abs(sum) >= Math.abs(observed) * (1 - 1e-12);
}

function exact(differences: readonly number[]): { readonly p: number; readonly method: "exact" } {
  const observed = differences.reduce((sum, value) => sum + value, 0);
  const patterns = 2 ** differences.length;
  let reached = 0;
  for (let pattern = 0; pattern < patterns; pattern += 1) {
    let sum = 0;
    for (const [bit, value] of differences.entries()) sum += (pattern >>> bit) & 1 ? -value : value;
    if (reaches(sum, observed)) reached += 1;
  }
  return { p: reached / patterns, method: "exact" };
}

function drawn(
  differences: readonly number[],
  seed: number,
): { readonly p: number; readonly method: "monte_carlo" } {
  const random = createRandom(seed);
  const observed = differences.reduce((sum, value) => sum + value, 0);
  let reached = 1;
  for (let draw = 0; draw < DRAWS; draw += 1) {
    let sum = 0;
    for (const value of differences) sum += random.uint32() >= 2 ** 31 ? -value : value;
    if (reaches(sum, observed)) reached += 1;
  }
  return { p: reached / (DRAWS + 1), method: "monte_carlo" };
}
