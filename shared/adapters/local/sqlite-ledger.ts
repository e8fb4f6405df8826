import type { Ledger, LedgerEntry } from "../../ports/ledger.ts";
import { type Row, textOf } from "./catalog-rows.ts";
import type { SqliteSession } from "./sqlite-session.ts";

/** The ledger in the local catalog's file. Changes are committed at once: other processes may wait for them. */
export class SqliteLedger implements Ledger {
  readonly #sql: SqliteSession;

  constructor(sql: SqliteSession) {
    this.#sql = sql;
  }

  async get(key: string): Promise<LedgerEntry | undefined> {
    const row = this.#sql.get("select * from ledger where key = ?", key);
    return row === undefined ? undefined : entryOf(row);
  }

  async put(key: string, value: string, expected: number): Promise<"stored" | "conflict"> {
    const stored = this.#sql.change(() => {
      const found = this.#sql.get("select version from ledger where key = ?", key);
      if ((found?.["version"] ?? 0) !== expected) return false;
      this.#sql.run("insert or replace into ledger values (?, ?, ?)", key, value, expected + 1);
      return true;
    });
    this.#sql.commit();
    return stored ? "stored" : "conflict";
  }

  async remove(key: string, expected: number): Promise<"removed" | "conflict"> {
    const removed = this.#sql.change(() => {
      const found = this.#sql.get("select version from ledger where key = ?", key);
      if (found?.["version"] !== expected) return false;
      this.#sql.run("delete from ledger where key = ?", key);
      return true;
    });
    this.#sql.commit();
    return removed ? "removed" : "conflict";
  }

  async *list(prefix: string): AsyncIterable<LedgerEntry & { readonly key: string }> {
    const sql = "select * from ledger where substr(key, 1, length(?)) = ? order by key";
    for (const row of this.#sql.each(sql, prefix, prefix)) yield { key: textOf(row["key"]), ...entryOf(row) };
  }
}

function entryOf(row: Row): LedgerEntry {
  return { value: textOf(row["value"]), version: Number(row["version"]) };
}
