/** Where a function changes its sign between `low` and `high`, as nearly as numbers can tell; it does so once there. */
export function bisect(
  of: (x: number) => number,
  { low, high }: { readonly low: number; readonly high: number },
): number {
  let [from, to] = [low, high];
  const sign = Math.sign(of(from));
  for (let round = 0; round < 200; round += 1) {
    const middle = (from + to) / 2;
    if (middle === from || middle === to) break;
    if (Math.sign(of(middle)) === sign) from = middle;
    else to = middle;
  }
  return (from + to) / 2;
}
