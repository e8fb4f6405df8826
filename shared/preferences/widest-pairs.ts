/** Places of two attempts in a ranking, the better one first. */
export type RankPair = readonly [better: number, worse: number];

/**
 * All pairs of a ranking whose margin reaches `atLeast`, the widest first; equal margins in the order of the better,
 * then from the last worse one up. Made one at a time: n pairs of n·(n−1)/2 cost O(n log n), and memory is O(n).
 *
 * The margin of a fixed better one shrinks as the worse one moves up, so a heap needs each better one's next pair only.
 *
 * @param rewards highest first
 */
export function* widestPairs(
  rewards: readonly number[],
  atLeast: (margin: number) => boolean,
): Generator<RankPair> {
  const last = rewards.length - 1;
  if (last < 1) return;
  const heap = new PairHeap(rewards);
  heap.push([0, last]);
  for (let top = heap.pop(); top !== undefined; top = heap.pop()) {
    const [better, worse] = top;
    if (!atLeast((rewards[better] ?? 0) - (rewards[worse] ?? 0))) return;
    yield top;
    if (worse - 1 > better) heap.push([better, worse - 1]);
    // The next better one's widest margin is no wider than this one's, so it need not wait in the heap before.
    if (worse === last && better + 1 < last) heap.push([better + 1, last]);
  }
}

/** How many pairs `widestPairs` would make, in linear time. */
export function countPairs(rewards: readonly number[], atLeast: (margin: number) => boolean): number {
  let count = 0;
  let worse = 0;
  for (const [better, reward] of rewards.entries()) {
    worse = Math.max(worse, better + 1);
    while (worse < rewards.length && !atLeast(reward - (rewards[worse] ?? 0))) worse += 1;
    count += rewards.length - worse;
  }
  return count;
}

/** How many pairs have equal rewards. */
export function countTies(rewards: readonly number[]): number {
  let count = 0;
  let run = 0;
  for (const [index, reward] of rewards.entries()) {
    run = index > 0 && rewards[index - 1] === reward ? run + 1 : 0;
    count += run;
  }
  return count;
}

/** A binary heap; the widest margin is on top. */
class PairHeap {
  readonly #pairs: RankPair[] = [];
  readonly #rewards: readonly number[];

  constructor(rewards: readonly number[]) {
    this.#rewards = rewards;
  }

  push(pair: RankPair): void {
    this.#pairs.push(pair);
    let at = this.#pairs.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): RankPair | undefined {
    const [top] = this.#pairs;
    const moved = this.#pairs.pop();
    if (moved === undefined || this.#pairs.length === 0) return top;
    this.#pairs[0] = moved;
    let at = 0;
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let first = at;
      if (left < this.#pairs.length && this.#isBefore(left, first)) first = left;
      if (right < this.#pairs.length && this.#isBefore(right, first)) first = right;
      if (first === at) return top;
      this.#swap(at, first);
      at = first;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [betterA, worseA] = this.#pairs[a] ?? [0, 0];
    const [betterB, worseB] = this.#pairs[b] ?? [0, 0];
    const difference = this.#margin(betterA, worseA) - this.#margin(betterB, worseB);
    return difference > 0 || (difference === 0 && betterA < betterB);
  }

  #margin(better: number, worse: number): number {
    return (this.#rewards[better] ?? 0) - (this.#rewards[worse] ?? 0);
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#pairs[a], this.#pairs[b]];
    if (first === undefined || second === undefined) return;
    this.#pairs[a] = second;
    this.#pairs[b] = first;
  }
}
