import type { Ledger, LedgerEntry } from "../../shared/ports/ledger.ts";
import { ObjectNotFoundError, type ObjectStore, type ObjectWriter } from "../../shared/ports/object-store.ts";

/** A ledger in memory. */
export class MemoryLedger implements Ledger {
  readonly #records = new Map<string, LedgerEntry>();

  async get(key: string): Promise<LedgerEntry | undefined> {
    return this.#records.get(key);
  }

  async put(key: string, value: string, expected: number): Promise<"stored" | "conflict"> {
    if ((this.#records.get(key)?.version ?? 0) !== expected) return "conflict";
    this.#records.set(key, { value, version: expected + 1 });
    return "stored";
  }

  async remove(key: string, expected: number): Promise<"removed" | "conflict"> {
    if (this.#records.get(key)?.version !== expected) return "conflict";
    this.#records.delete(key);
    return "removed";
  }

  async *list(prefix: string): AsyncIterable<LedgerEntry & { readonly key: string }> {
    for (const [key, entry] of sorted(this.#records, prefix)) yield { key, ...entry };
  }
}

/** A store in memory. */
export class MemoryStore implements ObjectStore {
  readonly #objects = new Map<string, Uint8Array>();

  async read(key: string): Promise<Uint8Array> {
    const found = this.#objects.get(key);
    if (found === undefined) throw new ObjectNotFoundError(key);
    return Uint8Array.from(found);
  }

  async *stream(key: string): AsyncIterable<Uint8Array> {
    yield await this.read(key);
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    this.#objects.set(key, Uint8Array.from(bytes));
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<"created" | "exists"> {
    if (this.#objects.has(key)) return "exists";
    await this.put(key, bytes);
    return "created";
  }

  async writer(key: string): Promise<ObjectWriter> {
    const pieces: Uint8Array[] = [];
    return {
      write: async (bytes) => {
        pieces.push(Uint8Array.from(bytes));
      },
      finish: () => this.put(key, Buffer.concat(pieces)),
      abort: async () => undefined,
    };
  }

  async exists(key: string): Promise<boolean> {
    return this.#objects.has(key);
  }

  async *list(prefix: string): AsyncIterable<{ readonly key: string; readonly size: number }> {
    for (const [key, bytes] of sorted(this.#objects, prefix)) yield { key, size: bytes.length };
  }

  async remove(key: string): Promise<void> {
    this.#objects.delete(key);
  }

  async erase(key: string): Promise<void> {
    this.#objects.delete(key);
  }
}

function sorted<T>(map: ReadonlyMap<string, T>, prefix: string): readonly (readonly [string, T])[] {
  return [...map]
    .filter(([key]) => key.startsWith(prefix))
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
