/** A value as it was read, with the version that a change of it must name. */
export interface LedgerEntry {
  /** JSON text. */
  readonly value: string;
  /** Rises by one with each change, from 1. */
  readonly version: number;
}

/**
 * Small records that processes agree on: leases, what an export has consumed, which job works on what. Every change
 * names the version it is based on, so of two writers one wins and the other is told. Reads are consistent.
 */
export interface Ledger {
  get(key: string): Promise<LedgerEntry | undefined>;
  /** Writes `value` if the record still has the version `expected` (0: there is none yet). */
  put(key: string, value: string, expected: number): Promise<"stored" | "conflict">;
  /** Removes the record if it still has that version; removing what is not there is a conflict. */
  remove(key: string, expected: number): Promise<"removed" | "conflict">;
  /** Keys that start with `prefix`, sorted by their UTF-8 bytes. */
  list(prefix: string): AsyncIterable<LedgerEntry & { readonly key: string }>;
}
