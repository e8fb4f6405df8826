import type { Alternative } from "./distributions.ts";
import { levelOf, StatisticsInputError } from "./inputs.ts";
import { meanOf } from "./mean.ts";
import { type Defined, type Interval, type LevelOption, notDefined, type Undefined } from "./result.ts";
import { bisect } from "./root.ts";

/**
 * An always-valid test of the mean of differences in [−1, 1], after which one may stop at any time, for any reason.
 *
 * A bettor whose stakes do not depend on what comes next cannot make money in a fair game: under the null hypothesis the
 * wealth K is a nonnegative martingale that starts at 1, so that it ever reaches 1/α with a probability of at most α
 * (Ville 1939). Against a mean of m the stake ℓ pays 1 + ℓ((x + 1)/(m + 1) − 1) for a higher mean, and its mirror image
 * for a lower one; the wealth is the mean over a grid of stakes, two-sided also over both directions (Waudby-Smith and
 * Ramdas 2024, "Estimating means of bounded random variables by betting").
 *
 * Assumes that each difference lies in [−1, 1] and has the same mean given those before it: tasks in random order, or
 * drawn anew. They need be neither normal nor independent of each other's spread. A test that looks once has more power.
 */
export interface SequentialTest {
  /** Takes the next difference. @throws StatisticsInputError where it lies outside [−1, 1] */
  observe(difference: number): SequentialVerdict;
}

export interface SequentialVerdict {
  /** Differences so far. */
  readonly n: number;
  /** Always valid: it may be looked at after every difference, and never rises. */
  readonly p: number;
  /** Natural logarithm of the wealth now. */
  readonly logWealth: number;
  /** After how many differences the null hypothesis was rejected at 1 − level; null until then. */
  readonly decidedAt: number | null;
}

export interface SequentialOptions extends LevelOption {
  /** Two-sided unless given. */
  readonly alternative?: Alternative;
  /** The mean under the null hypothesis, 0 unless given; in (−1, 1). */
  readonly against?: number;
}

/** Small stakes win slowly from small effects, large ones fast from large effects. */
const STAKES = [7 / 8, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64];

/** Starts a test. @throws StatisticsInputError where an option is out of its range */
export function createSequentialTest(options: SequentialOptions = {}): SequentialTest {
  const level = levelOf(options);
  const { alternative = "two_sided", against = 0 } = options;
  if (!(against > -1 && against < 1)) {
    throw new StatisticsInputError(`a mean of ${against} must lie between -1 and 1`);
  }
  const wealth = createWealth(against);
  const needed = -Math.log(1 - level);
  let n = 0;
  let most = 0;
  let decidedAt: number | null = null;
  return {
    observe: (difference) => {
      requireDifference(difference, n);
      n += 1;
      wealth.take(difference, 1);
      const logWealth = wealth.log(alternative);
      most = Math.max(most, logWealth);
      if (decidedAt === null && logWealth >= needed) decidedAt = n;
      return { n, p: Math.exp(-most), logWealth, decidedAt };
    },
  };
}

/**
 * All differences at once: their mean, the confidence interval that holds at every n (`betting`, always two-sided), and
 * the verdict.
 * @throws StatisticsInputError where a difference lies outside [−1, 1] or an option is out of its range
 */
export function sequentialTest(
  differences: readonly number[],
  options: SequentialOptions = {},
): (Defined & { readonly verdict: SequentialVerdict }) | Undefined {
  const level = levelOf(options);
  const test = createSequentialTest(options);
  let verdict: SequentialVerdict | null = null;
  for (const difference of differences) verdict = test.observe(difference);
  if (verdict === null) return notDefined(0, "too_few");
  const value = meanOf(differences);
  return { value, n: differences.length, interval: bettingInterval(differences, { value, level }), verdict };
}

function requireDifference(difference: number, index: number): void {
  if (difference >= -1 && difference <= 1) return;
  throw new StatisticsInputError(
    `difference ${index} is ${difference}: it must lie between -1 and 1; divide by the range of the metric`,
  );
}

interface Wealth {
  /** Pays for a difference that came `times` times. */
  take(difference: number, times: number): void;
  log(alternative: Alternative): number;
}

function createWealth(mean: number): Wealth {
  const [up, down] = [STAKES.map(() => 0), STAKES.map(() => 0)];
  return {
    take: (difference, times) => {
      const [higher, lower] = [(difference + 1) / (mean + 1) - 1, (1 - difference) / (1 - mean) - 1];
      for (const [index, stake] of STAKES.entries()) {
        up[index] = (up[index] ?? 0) + times * Math.log1p(stake * higher);
        down[index] = (down[index] ?? 0) + times * Math.log1p(stake * lower);
      }
    },
    log: (alternative) => {
      if (alternative === "greater") return logMeanExp(up);
      return alternative === "less" ? logMeanExp(down) : logMeanExp([...up, ...down]);
    },
  };
}

function logMeanExp(logs: readonly number[]): number {
  const most = Math.max(...logs);
  return most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0) / logs.length);
}

/**
 * The means against which the wealth is below 1/α. The wealth is convex in the mean and at most 1 at that of the sample,
 * so they are an interval around it.
 */
function bettingInterval(
  differences: readonly number[],
  { value, level }: { readonly value: number; readonly level: number },
): Interval {
  const needed = -Math.log(1 - level);
  // Differences of successes are only three values, however many there are.
  const counts = new Map<number, number>();
  for (const difference of differences) counts.set(difference, (counts.get(difference) ?? 0) + 1);
  const short = (mean: number): number => {
    const wealth = createWealth(mean);
    for (const [difference, times] of counts) wealth.take(difference, times);
    return wealth.log("two_sided") - needed;
  };
  // Against a mean of exactly -1 or 1 there is no stake.
  const edge = 1 - Number.EPSILON;
  const centre = Math.min(edge, Math.max(-edge, value));
  return {
    level,
    method: "betting",
    low: short(-edge) < 0 ? -1 : bisect(short, { low: -edge, high: centre }),
    high: short(edge) < 0 ? 1 : bisect(short, { low: centre, high: edge }),
  };
}
