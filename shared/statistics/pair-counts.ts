/** How the n(n − 1)/2 pairs of observations stand to each other in x and in y. */
export interface PairCounts {
  readonly pairs: number;
  /** x and y differ in the same direction. */
  readonly concordant: number;
  readonly discordant: number;
  /** Tied in x, whatever y does; likewise y; and in both. */
  readonly tiedX: number;
  readonly tiedY: number;
  readonly tiedBoth: number;
}

/** Counts in O(n log n): sorts by x, then counts the inversions of y (Knight 1966). */
export function pairCounts(x: readonly number[], y: readonly number[]): PairCounts {
  const n = x.length;
  const at = (values: readonly number[], index: number): number => values[index] ?? 0;
  const order = x.map((_, index) => index).sort((a, b) => at(x, a) - at(x, b) || at(y, a) - at(y, b));
  const sortedX = order.map((index) => at(x, index));
  const sortedY = order.map((index) => at(y, index));
  const tiedX = tiedPairs(n, (a, b) => sortedX[a] === sortedX[b]);
  const tiedBoth = tiedPairs(n, (a, b) => sortedX[a] === sortedX[b] && sortedY[a] === sortedY[b]);
  const discordant = sortCountingInversions(sortedY);
  const tiedY = tiedPairs(n, (a, b) => sortedY[a] === sortedY[b]);
  const pairs = n === 0 ? 0 : (n * (n - 1)) / 2;
  return {
    pairs,
    concordant: pairs - tiedX - tiedY + tiedBoth - discordant,
    discordant,
    tiedX,
    tiedY,
    tiedBoth,
  };
}

/** Pairs within runs of neighbours that are alike. */
function tiedPairs(n: number, alike: (a: number, b: number) => boolean): number {
  let [pairs, run] = [0, 1];
  for (let index = 1; index <= n; index += 1) {
    if (index < n && alike(index - 1, index)) run += 1;
    else {
      pairs += (run * (run - 1)) / 2;
      run = 1;
    }
  }
  return pairs;
}

/** Merge sort in place; counts the pairs that stood in the wrong order. */
function sortCountingInversions(values: number[]): number {
  const n = values.length;
  const spare = new Array<number>(n).fill(0);
  let inversions = 0;
  for (let width = 1; width < n; width *= 2) {
    for (let start = 0; start < n; start += 2 * width) {
      const middle = Math.min(start + width, n);
      const end = Math.min(start + 2 * width, n);
      let [left, right] = [start, middle];
      for (let to = start; to < end; to += 1) {
        const [a, b] = [values[left] ?? 0, values[right] ?? 0];
        if (left < middle && (right >= end || a <= b)) {
          spare[to] = a;
          left += 1;
        } else {
          spare[to] = b;
          right += 1;
          inversions += middle - left;
        }
      }
      for (let to = start; to < end; to += 1) values[to] = spare[to] ?? 0;
    }
  }
  return inversions;
}
