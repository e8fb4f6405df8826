import { binomialCdf, binomialPmf, fairCoinCdf } from "./distributions.ts";
import { requireUnit, StatisticsInputError } from "./inputs.ts";
import { alphaOf, type Power, type PowerOptions, requireCount } from "./power.ts";

/**
 * Power of McNemar's exact test: over how many of n pairs may differ, and how those may fall.
 * @param of `onlyA` and `onlyB`: how likely a pair succeeds on one side alone; `n` the pairs
 * @throws StatisticsInputError where the two together exceed 1
 */
export function mcnemarPower(
  { onlyA, onlyB, n }: { readonly onlyA: number; readonly onlyB: number; readonly n: number },
  options: PowerOptions = {},
): Power {
  requireUnit([onlyA, onlyB], "rates");
  requireCount(n, 1);
  const differing = onlyA + onlyB;
  if (differing > 1) {
    throw new StatisticsInputError(`pairs that differ have a share of ${differing}: give at most 1 in all`);
  }
  const { alternative = "two_sided" } = options;
  const alpha = alphaOf(options);
  const share = differing === 0 ? 0.5 : onlyA / differing;
  const tail = alternative === "two_sided" ? alpha / 2 : alpha;
  // The largest count on the weaker side with which pairs as many as `pairs` still reject; it never falls as they grow.
  let fewest = -1;
  let value = 0;
  for (let pairs = 1; pairs <= n; pairs += 1) {
    while (fairCoinCdf(fewest + 1, pairs) <= tail) fewest += 1;
    if (fewest < 0) continue;
    const likely = binomialPmf(pairs, { n, p: differing });
    if (likely < 1e-18) continue;
    const greater = binomialCdf(fewest, { n: pairs, p: 1 - share });
    const less = binomialCdf(fewest, { n: pairs, p: share });
    value += likely * { two_sided: greater + less, greater, less }[alternative];
  }
  return { value: Math.min(1, value), n, df: null, method: "exact" };
}
