import { requireUnit } from "./inputs.ts";
import type { Power } from "./power.ts";

/** The number needed, or that even `most` are too few. */
export type NeededN =
  | { readonly n: number; readonly power: number }
  | { readonly n: null; readonly power: number; readonly why: "too_few" };

/**
 * The least n whose power reaches `target`. `power` is that of n pairs, or of n in each group. Found by halving: exact
 * tests, whose power does not rise with every n, may have a somewhat smaller one too.
 * @param of `target` in [0, 1], 0.8 unless given; `least` 2 and `most` 100,000 unless given
 */
export function neededN(of: {
  readonly power: (n: number) => Power;
  readonly target?: number;
  readonly least?: number;
  readonly most?: number;
}): NeededN {
  const { power, target = 0.8, least = 2, most = 100_000 } = of;
  requireUnit([target], "target");
  const reaches = (n: number): boolean => power(n).value >= target;
  let [low, high] = [least - 1, least];
  while (!reaches(high)) {
    if (high >= most) return { n: null, power: power(high).value, why: "too_few" };
    low = high;
    high = Math.min(most, 2 * high);
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (reaches(middle)) high = middle;
    else low = middle;
  }
  return { n: high, power: power(high).value };
}
