import { requireSameLength, StatisticsInputError } from "./inputs.ts";

/** How often each of the four outcomes of a pair of successes and failures occurred. */
export interface PairedOutcomes {
  readonly both: number;
  readonly onlyA: number;
  readonly onlyB: number;
  readonly neither: number;
}

/** @throws StatisticsInputError where lengths differ */
export function pairedOutcomes(a: readonly boolean[], b: readonly boolean[]): PairedOutcomes {
  requireSameLength(a, b);
  const counts = { both: 0, onlyA: 0, onlyB: 0, neither: 0 };
  for (const [index, first] of a.entries()) {
    const second = b[index] === true;
    counts[first ? (second ? "both" : "onlyA") : second ? "onlyB" : "neither"] += 1;
  }
  return counts;
}

/** How many pairs there are. @throws StatisticsInputError where a count is no whole number from 0 */
export function pairsOf({ both, onlyA, onlyB, neither }: PairedOutcomes): number {
  for (const [name, count] of Object.entries({ both, onlyA, onlyB, neither })) {
    if (!(Number.isSafeInteger(count) && count >= 0)) {
      throw new StatisticsInputError(`${name} is ${count}: give how many pairs had that outcome`);
    }
  }
  return both + onlyA + onlyB + neither;
}
