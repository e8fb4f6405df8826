import { levelOf } from "./inputs.ts";
import { type PairedOutcomes, pairsOf } from "./paired-outcomes.ts";
import { type Estimate, type Interval, type LevelOption, notDefined } from "./result.ts";
import { proportion } from "./wilson.ts";

/**
 * Success rate of the first side less that of the second over the same pairs, with the interval of Newcombe (1998,
 * "Improved confidence intervals for the difference between binomial proportions based on paired data", method 10):
 * Wilson's limits of both rates, joined under their correlation, which is drawn towards 0 where it is positive.
 */
export function pairedRiskDifference(outcomes: PairedOutcomes, options: LevelOption = {}): Estimate {
  const n = pairsOf(outcomes);
  const level = levelOf(options);
  if (n === 0) return notDefined(0, "too_few");
  const value = (outcomes.onlyA - outcomes.onlyB) / n;
  return { value, n, interval: newcombeInterval(outcomes, { n, value, level }) };
}

function newcombeInterval(
  outcomes: PairedOutcomes,
  { n, value, level }: { readonly n: number; readonly value: number; readonly level: number },
): Interval {
  const { both, onlyA, onlyB } = outcomes;
  const [first, second] = [marginOf(both + onlyA, n, level), marginOf(both + onlyB, n, level)];
  const phi = correlationOf(outcomes, n);
  const joined = (one: number, other: number): number =>
    Math.sqrt(Math.max(0, one ** 2 - 2 * phi * one * other + other ** 2));
  return {
    level,
    method: "newcombe_paired",
    low: Math.max(-1, value - joined(first.down, second.up)),
    high: Math.min(1, value + joined(first.up, second.down)),
  };
}

/** How far Wilson's limits lie below and above a rate. */
function marginOf(
  successes: number,
  n: number,
  level: number,
): { readonly down: number; readonly up: number } {
  const { value, interval } = { interval: null, ...proportion(successes, n, { level }) };
  if (value === null || interval === null || interval.low === null) return { down: 0, up: 0 };
  return { down: value - interval.low, up: interval.high - value };
}

function correlationOf({ both, onlyA, onlyB, neither }: PairedOutcomes, n: number): number {
  const margins = (both + onlyA) * (onlyB + neither) * (both + onlyB) * (onlyA + neither);
  if (margins === 0) return 0;
  const cross = both * neither - onlyA * onlyB;
  return (cross > 0 ? Math.max(cross - n / 2, 0) : cross) / Math.sqrt(margins);
}
