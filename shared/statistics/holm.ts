/**
 * Holm's step-down adjustment (1979) of the p-values of one family: an adjusted value at or below α rejects at a
 * family-wise error of α. Order is kept; null (no test) stays null and does not count.
 */
export function holmAdjusted(values: readonly (number | null)[]): readonly (number | null)[] {
  const ordered = values
    .flatMap((p, index) => (p === null ? [] : [{ p, index }]))
    .sort((a, b) => a.p - b.p || a.index - b.index);
  const adjusted: (number | null)[] = values.map(() => null);
  let least = 0;
  for (const [rank, { p, index }] of ordered.entries()) {
    least = Math.max(least, Math.min(1, p * (ordered.length - rank)));
    adjusted[index] = least;
  }
  return adjusted;
}
