import { type Defined, type Interval, noInterval } from "./result.ts";

/**
 * Newcombe's hybrid score interval (1998, "Interval estimation for the difference between independent proportions",
 * method 10) of the difference of two rates given with Wilson's intervals.
 */
export function riskDifferenceInterval(first: Defined, second: Defined, level: number): Interval {
  const [one, other] = [first.interval, second.interval];
  if (one.low === null || other.low === null) return noInterval(level, "newcombe", "too_few");
  const value = first.value - second.value;
  return {
    level,
    method: "newcombe",
    low: value - Math.hypot(first.value - one.low, other.high - second.value),
    high: value + Math.hypot(one.high - first.value, second.value - other.low),
  };
}
