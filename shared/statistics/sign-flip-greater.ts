import { requireFinite, StatisticsInputError } from "./inputs.ts";
import { createRandom } from "./random.ts";
import { EXACT_UP_TO } from "./sign-flip.ts";

export type OneSided =
  | { readonly p: number; readonly n: number; readonly method: "exact" | "monte_carlo" | "betting" }
  | { readonly p: null; readonly n: number; readonly why: "too_few" };

/**
 * One-sided paired permutation test (`signFlipTest` is the two-sided one): how likely a sum as large as the observed one
 * is where each difference is as likely to have the other sign (Fisher 1935). For differences of -1, 0 and 1 it is
 * McNemar's exact one-sided test. Exact for up to 16 differences, else by `draws` random patterns, the observed one counted
 * in (Phipson and Smyth 2010). The patterns follow from the seed alone, so p never rises where a difference grows. What is
 * below 1e-12 of the size of what a pattern turns round counts as rounding.
 * @throws StatisticsInputError
 */
export function signFlipGreater(
  differences: readonly number[],
  { seed, draws = 10_000 }: { readonly seed: number; readonly draws?: number },
): OneSided {
  requireFinite(differences, "differences");
  if (!(Number.isInteger(draws) && draws >= 1)) {
    throw new StatisticsInputError(`${draws} draws: give a whole number of at least 1`);
  }
  const n = differences.length;
  if (n === 0) return { p: null, n, why: "too_few" };
  // Rounding must not make a pattern miss the observed sum. The allowance is taken off each value by itself: what is left
  // rises with the value, and no floating-point sum falls where a term rises, so p cannot rise by rounding either.
  const lowered = differences.map((value) => value - 1e-12 * Math.abs(value));
  return n <= EXACT_UP_TO ? exact(lowered) : drawn(lowered, { seed, draws });
}

/** A pattern reaches the observed sum where what it turns round adds up to no more than 0. */
function exact(differences: readonly number[]): OneSided {
  const patterns = 2 ** differences.length;
  let reached = 0;
  for (let pattern = 0; pattern < patterns; pattern += 1) {
    let turned = 0;
    for (const [bit, value] of differences.entries()) if ((pattern >>> bit) & 1) turned += value;
    if (turned <= 0) reached += 1;
  }
  return { p: reached / patterns, n: differences.length, method: "exact" };
}

function drawn(
  differences: readonly number[],
  { seed, draws }: { readonly seed: number; readonly draws: number },
): OneSided {
  const random = createRandom(seed);
  let reached = 1;
  for (let draw = 0; draw < draws; draw += 1) {
    let turned = 0;
    let bits = 0;
    for (const [index, value] of differences.entries()) {
      if (index % 32 === 0) bits = random.uint32();
      if ((bits >>> (index % 32)) & 1) turned += value;
    }
    if (turned <= 0) reached += 1;
  }
  return { p: reached / (draws + 1), n: differences.length, method: "monte_carlo" };
}
