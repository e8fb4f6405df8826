/** One line of a function's log. */
export interface LogLine {
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly group: string;
  readonly stream: string;
  readonly message: string;
}

/** How long after its own time a line may come into the log: engines write an invocation's lines when it ends. */
const LATE_MS = 60_000;

/**
 * Tells which lines of a log have not been seen. The engines' logs are read anew from a time on, again and again, and
 * not all of them number their lines.
 */
export class LogCursor {
  #from: number;
  /** How often each line was seen: a function may print the same twice within a millisecond. */
  readonly #seen = new Map<string, { readonly timestamp: number; readonly count: number }>();

  constructor(from: number) {
    this.#from = from;
  }

  /** The time from which on the log must be read, in milliseconds since 1970. */
  get from(): number {
    return this.#from;
  }

  /**
   * @param lines all that the log holds from `from` on
   * @returns those that no earlier call was given, in the order of their time
   */
  take(lines: readonly LogLine[]): LogLine[] {
    const counts = new Map<string, number>();
    const fresh = lines.filter((line) => {
      const key = JSON.stringify([line.timestamp, line.group, line.stream, line.message]);
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      if (count <= (this.#seen.get(key)?.count ?? 0)) return false;
      this.#seen.set(key, { timestamp: line.timestamp, count });
      return true;
    });
    this.#forget(lines);
    return fresh.sort((a, b) => a.timestamp - b.timestamp);
  }

  /** What is older than `from` is not read again, and need not be remembered. */
  #forget(lines: readonly LogLine[]): void {
    const latest = lines.reduce((time, line) => Math.max(time, line.timestamp), 0);
    this.#from = Math.max(this.#from, latest - LATE_MS);
    for (const [key, { timestamp }] of this.#seen) if (timestamp < this.#from) this.#seen.delete(key);
  }
}
