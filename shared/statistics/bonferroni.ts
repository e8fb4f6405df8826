/**
 * Bonferroni's adjustment of the p-values of one family: each times their number, at most 1. An adjusted value at or
 * below α rejects at a family-wise error of α; Holm's rejects at least as much. Order is kept; null (no test) stays null
 * and does not count.
 */
export function bonferroniAdjusted(values: readonly (number | null)[]): readonly (number | null)[] {
  const tests = values.filter((p) => p !== null).length;
  return values.map((p) => (p === null ? null : Math.min(1, p * tests)));
}
