import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Ledger, LedgerEntry } from "../../ports/ledger.ts";
import { read } from "./catalog-items.ts";
import { keyOf, LEDGER_PK, ledgerKey } from "./catalog-keys.ts";
import { DynamoTable, type DynamoTableOptions } from "./dynamo-table.ts";
import { ABSENT, having } from "./writes.ts";

/** A ledger key is longer than DynamoDB allows. */
export class LedgerKeyError extends Error {
  override readonly name = "LedgerKeyError";
  constructor(key: string) {
    const length = Buffer.byteLength(key);
    super(`the ledger key ${key.slice(0, 80)}… has ${length} bytes; use one of at most ${LONGEST_KEY}`);
  }
}

/** DynamoDB's 1024, less the mark that stands before each. */
const LONGEST_KEY = 1022;

const recordSchema = z.object({ value: z.string(), version: z.number(), writer: z.string() });

/** The ledger, in the catalog's table, so that a transaction there can depend on a record here. */
export class DynamoLedger implements Ledger {
  readonly #table: DynamoTable;

  /** `items`: a table that is shared with a catalog. */
  constructor(options: DynamoTableOptions | { readonly items: DynamoTable }) {
    this.#table = "items" in options ? options.items : new DynamoTable(options);
  }

  async get(key: string): Promise<LedgerEntry | undefined> {
    const item = await this.#table.get(checked(key));
    if (item === undefined) return undefined;
    const { value, version } = read(recordSchema, item);
    return { value, version };
  }

  /** @throws LedgerKeyError */
  async put(key: string, value: string, expected: number): Promise<"stored" | "conflict"> {
    const writer = randomUUID();
    const item = { ...checked(key), value, version: expected + 1, writer };
    const when = expected === 0 ? ABSENT : having({ version: expected });
    if (await this.#table.write({ kind: "put", item, when })) return "stored";
    // Where an answer is lost, the client asks again and is told of a conflict with itself.
    const now = await this.#table.get(ledgerKey(key));
    return now?.["writer"] === writer ? "stored" : "conflict";
  }

  async remove(key: string, expected: number): Promise<"removed" | "conflict"> {
    const when = having({ version: expected });
    return (await this.#table.write({ kind: "delete", key: checked(key), when })) ? "removed" : "conflict";
  }

  async *list(prefix: string): AsyncIterable<LedgerEntry & { readonly key: string }> {
    if (Buffer.byteLength(prefix) > LONGEST_KEY) return;
    for await (const item of this.#table.partition(LEDGER_PK, ledgerKey(prefix).sk)) {
      const { value, version } = read(recordSchema, item);
      yield { key: keyOf(item).sk.slice(ledgerKey("").sk.length), value, version };
    }
  }
}

function checked(key: string) {
  if (Buffer.byteLength(key) > LONGEST_KEY) throw new LedgerKeyError(key);
  return ledgerKey(key);
}
