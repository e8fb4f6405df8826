/**
 * P(U ≤ u) of Mann and Whitney's U for samples of m and n without ties. The counts are those of Gaussian binomials,
 * ∏ (1 − q^(n+i)) / (1 − q^i) over i = 1 … m; those at the low end, which make up small p-values, are exact.
 */
export function rankSumCdf(u: number, sizes: readonly [number, number]): number {
  const [m, n] = [Math.min(...sizes), Math.max(...sizes)];
  if (u < 0) return 0;
  if (u >= m * n) return 1;
  // The distribution is symmetric: the shorter tail is summed.
  const upper = u > (m * n) / 2;
  const last = upper ? m * n - Math.floor(u) - 1 : Math.floor(u);
  const counts = new Float64Array(last + 1);
  counts[0] = 1;
  let total = 1;
  for (let i = 1; i <= m; i += 1) {
    for (let at = i; at <= last; at += 1) counts[at] = (counts[at] ?? 0) + (counts[at - i] ?? 0);
    for (let at = last; at >= n + i; at -= 1) counts[at] = (counts[at] ?? 0) - (counts[at - n - i] ?? 0);
    total *= (n + i) / i;
  }
  const tail = counts.reduce((sum, count) => sum + count, 0) / total;
  return upper ? 1 - tail : tail;
}
