import { normalCritical } from "./distributions.ts";
import { levelOf, requireFinite, requireSameLength } from "./inputs.ts";
import { sampleVariance } from "./mean.ts";
import { averageRanks } from "./ranks.ts";
import { type Estimate, type Interval, type LevelOption, noInterval, notDefined } from "./result.ts";

/** Area under the ROC curve, or null where only one class occurs. */
export function aucOf(scores: readonly number[], positive: readonly boolean[]): number | null {
  const ranks = averageRanks(scores);
  let [sum, count] = [0, 0];
  for (const [index, isPositive] of positive.entries()) {
    if (!isPositive) continue;
    sum += ranks[index] ?? 0;
    count += 1;
  }
  const others = positive.length - count;
  if (count === 0 || others === 0) return null;
  return (sum - (count * (count + 1)) / 2) / (count * others);
}

/**
 * Area under the ROC curve: how often a positive scores above a negative, ties counted half (Mann and Whitney 1947).
 * Interval by the variance of DeLong, DeLong and Clarke-Pearson (1988), cut to [0, 1].
 */
export function auc(
  scores: readonly number[],
  positive: readonly boolean[],
  options: LevelOption = {},
): Estimate {
  requireSameLength(scores, positive);
  requireFinite(scores, "scores");
  const level = levelOf(options);
  const n = scores.length;
  const value = aucOf(scores, positive);
  if (value === null) return notDefined(n, n < 2 ? "too_few" : "one_class");
  return { value, n, interval: deLongInterval(scores, positive, { value, level }) };
}

function deLongInterval(
  scores: readonly number[],
  positive: readonly boolean[],
  { value, level }: { readonly value: number; readonly level: number },
): Interval {
  const [up, down] = [true, false].map((side) => scores.filter((_, index) => positive[index] === side));
  const [positives, negatives] = [up ?? [], down ?? []];
  if (positives.length < 2 || negatives.length < 2) return noInterval(level, "delong", "too_few");
  const all = averageRanks([...positives, ...negatives]);
  // The rank among all less the rank among its own class: how many of the other class lie below, ties half.
  const below = (own: readonly number[], offset: number): readonly number[] =>
    averageRanks(own).map((rank, index) => (all[offset + index] ?? 0) - rank);
  const placed = below(positives, 0).map((count) => count / negatives.length);
  const placedNegatives = below(negatives, positives.length).map((count) => 1 - count / positives.length);
  const variance =
    sampleVariance(placed) / positives.length + sampleVariance(placedNegatives) / negatives.length;
  if (!(variance > 0)) return noInterval(level, "delong", "no_variance");
  const half = normalCritical(level) * Math.sqrt(variance);

  return { level, method: "delong", low: Math.max(0, value - half), high: Math.min(1, value + half) };
}
