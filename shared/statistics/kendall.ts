import { twoSidedNormal } from "./distributions.ts";
import { levelOf, requirePaired } from "./inputs.ts";
import { type PairCounts, pairCounts } from "./pair-counts.ts";
import { correlationInterval } from "./pearson.ts";
import { type Correlation, type LevelOption, notDefined, type PValue } from "./result.ts";

/** Up to so many observations without ties the p-value is exact. */
const EXACT_UP_TO = 33;

/** Kendall's τ-b of counted pairs, or null where one side is constant. */
export function kendallOf({ pairs, concordant, discordant, tiedX, tiedY }: PairCounts): number | null {
  if (pairs === 0 || tiedX === pairs || tiedY === pairs) return null;
  const tau = (concordant - discordant) / Math.sqrt(pairs - tiedX) / Math.sqrt(pairs - tiedY);
  return Math.min(1, Math.max(-1, tau));
}

/**
 * Kendall's τ-b. The p-value is exact without ties for up to 33 observations, or where at most one pair is out of
 * order; else by the normal approximation with its correction for ties (Kendall 1970). Interval: artanh τ with
 * variance 0.437 / (n − 4) (Fieller, Hartley and Pearson 1957).
 */
export function kendall(x: readonly number[], y: readonly number[], options: LevelOption = {}): Correlation {
  requirePaired(x, y);
  const level = levelOf(options);
  const n = x.length;
  if (n < 2) return notDefined(n, "too_few");
  const counts = pairCounts(x, y);
  const value = kendallOf(counts);
  if (value === null) return notDefined(n, "constant");
  const error = Math.sqrt(0.437 / (n - 4));
  return {
    value,
    n,
    interval: correlationInterval({ r: value, error, level, method: "fieller" }),
    test: kendallTest({ x, y }, counts),
  };
}

function kendallTest(
  { x, y }: { readonly x: readonly number[]; readonly y: readonly number[] },
  counts: PairCounts,
): PValue {
  const { pairs, concordant, discordant, tiedX, tiedY } = counts;
  const n = x.length;
  const fewest = Math.min(concordant, discordant);
  if (tiedX === 0 && tiedY === 0 && (n <= EXACT_UP_TO || fewest <= 1)) {
    return { p: exactP(n, fewest), method: "exact" };
  }
  const [tiesX, tiesY] = [tieSums(x), tieSums(y)];
  const m = 2 * pairs;
  const variance =
    (m * (2 * n + 5) - tiesX.third - tiesY.third) / 18 +
    (2 * tiedX * tiedY) / m +
    (tiesX.second * tiesY.second) / (9 * m * (n - 2));
  return { p: twoSidedNormal((concordant - discordant) / Math.sqrt(variance)), method: "normal" };
}

function tieSums(values: readonly number[]): { readonly second: number; readonly third: number } {
  const sizes = new Map<number, number>();
  for (const value of values) sizes.set(value, (sizes.get(value) ?? 0) + 1);
  let [second, third] = [0, 0];
  for (const size of sizes.values()) {
    second += size * (size - 1) * (size - 2);
    third += size * (size - 1) * (2 * size + 5);
  }
  return { second, third };
}

/**
 * P(at most `most` inversions in a random order of n), doubled. The distribution for n is that for n − 1 with 0 … n − 1
 * inversions added, each equally likely.
 */
function exactP(n: number, most: number): number {
  let probabilities: readonly number[] = [1, ...new Array<number>(most).fill(0)];
  for (let size = 2; size <= n; size += 1) {
    let window = 0;
    const previous = probabilities;
    probabilities = previous.map((probability, inversions) => {
      window += probability - (previous[inversions - size] ?? 0);
      return window / size;
    });
  }
  return Math.min(1, 2 * probabilities.reduce((sum, probability) => sum + probability, 0));
}
