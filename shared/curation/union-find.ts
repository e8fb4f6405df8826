/** Disjoint sets of the numbers 0 to size - 1; the root of a set is its smallest number. */
export class UnionFind {
  readonly #parents: Int32Array;

  constructor(size: number) {
    this.#parents = Int32Array.from({ length: size }, (_, index) => index);
  }

  find(index: number): number {
    const parents = this.#parents;
    let at = index;
    for (let up = parents[at] ?? at; up !== at; up = parents[at] ?? at) {
      // Halving the way up keeps all later ways short.
      parents[at] = parents[up] ?? up;
      at = parents[at] ?? at;
    }
    return at;
  }

  union(a: number, b: number): void {
    const [x, y] = [this.find(a), this.find(b)];
    this.#parents[Math.max(x, y)] = Math.min(x, y);
  }
}
