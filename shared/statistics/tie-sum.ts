/** The sum of t³ − t over groups of t equal values, by which ties lower the variance of rank statistics. */
export function tieSum(values: readonly number[]): number {
  const sizes = new Map<number, number>();
  for (const value of values) sizes.set(value, (sizes.get(value) ?? 0) + 1);
  let sum = 0;
  for (const size of sizes.values()) sum += size ** 3 - size;
  return sum;
}
