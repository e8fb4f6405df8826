/**
 * Benjamini and Hochberg's step-up adjustment (1995) of the p-values of one family: those whose adjusted value is at or
 * below q hold at most a share q of false discoveries on average, where tests are independent or positively dependent.
 * Order is kept; null (no test) stays null and does not count.
 */
export function benjaminiHochbergAdjusted(values: readonly (number | null)[]): readonly (number | null)[] {
  const ordered = values
    .flatMap((p, index) => (p === null ? [] : [{ p, index }]))
    .sort((a, b) => b.p - a.p || b.index - a.index);
  const adjusted: (number | null)[] = values.map(() => null);
  let most = 1;
  for (const [place, { p, index }] of ordered.entries()) {
    most = Math.min(most, (p * ordered.length) / (ordered.length - place));
    adjusted[index] = most;
  }
  return adjusted;
}
