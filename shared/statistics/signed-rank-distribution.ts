/**
 * P(W ≤ w) and P(W ≥ w), W being the sum of those ranks whose sign is +, where each sign is as likely + as −. Exact also
 * for average ranks, which are halves. Ranks are positive.
 */
export function signedRankTails(
  ranks: readonly number[],
  observed: number,
): { readonly atMost: number; readonly atLeast: number } {
  // Counted in halves, so that average ranks are whole numbers.
  const doubled = ranks.map((rank) => Math.round(2 * rank));
  const total = doubled.reduce((sum, rank) => sum + rank, 0);
  const probabilities = new Float64Array(total + 1);
  probabilities[0] = 1;
  let reached = 0;
  for (const rank of doubled) {
    reached += rank;
    for (let sum = reached; sum >= 0; sum -= 1) {
      const without = probabilities[sum] ?? 0;
      probabilities[sum] = (without + (sum >= rank ? (probabilities[sum - rank] ?? 0) : 0)) / 2;
    }
  }
  const at = Math.round(2 * observed);
  let [atMost, atLeast] = [0, 0];
  for (let sum = 0; sum <= at; sum += 1) atMost += probabilities[sum] ?? 0;
  // From the far end, whose small terms would be lost on large ones.
  for (let sum = total; sum >= at; sum -= 1) atLeast += probabilities[sum] ?? 0;
  return { atMost, atLeast };
}
