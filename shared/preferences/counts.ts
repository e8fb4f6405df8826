/** Counts by reason, in the order in which reasons first came up. */
export class Counts {
  readonly #counts = new Map<string, number>();

  add(reason: string, count = 1): void {
    if (count > 0) this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + count);
  }

  merge(others: Readonly<Record<string, number>>): void {
    for (const [reason, count] of Object.entries(others)) this.add(reason, count);
  }

  get(reason: string): number {
    return this.#counts.get(reason) ?? 0;
  }

  /** The most frequent first. */
  record(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
  }
}
