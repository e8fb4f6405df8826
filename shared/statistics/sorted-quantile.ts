export function ascending(a: number, b: number): number {
  return a - b;
}

/** Quantile of sorted values by linear interpolation: type 7 of Hyndman and Fan (1996), the default of R and NumPy. */
export function quantileOfSorted(sorted: ArrayLike<number>, p: number): number {
  const position = (sorted.length - 1) * p;
  const below = Math.floor(position);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? Number.NaN;
  const share = position - below;
  // From the nearer end, so that a share of 1 gives exactly the upper value.
  return share < 0.5 ? low + (high - low) * share : high - (high - low) * (1 - share);
}
