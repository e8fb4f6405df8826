import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { Row } from "./catalog-rows.ts";
import { CATALOG_SCHEMA, CATALOG_UPGRADE_1, CATALOG_VERSION } from "./catalog-schema.ts";

/** The catalog file was written by a later version of the program. */
export class CatalogVersionError extends Error {
  override readonly name = "CatalogVersionError";
  constructor(path: string, found: number) {
    super(`${path} has catalog version ${found}, this program knows ${CATALOG_VERSION}: update gymline`);
  }
}

/** The catalog file cannot be opened as one. */
export class CatalogFileError extends Error {
  override readonly name = "CatalogFileError";
  constructor(path: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const remedy = "bring back a copy of it, or give another folder";
    super(`${path} cannot be opened as a catalog (${why}); ${remedy}`, { cause });
  }
}

/** Changes between two commits: enough to make a commit cheap, few enough to lose little work at a kill. */
const BATCH = 256;

/** The catalog's connection: opens and checks the file, keeps statements, and groups changes into transactions. */
export class SqliteSession {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #pending = 0;

  /** @throws CatalogVersionError, CatalogFileError */
  constructor(path: string, readOnly: boolean) {
    try {
      this.#db = open(path, readOnly);
    } catch (error) {
      throw error instanceof CatalogVersionError ? error : new CatalogFileError(path, error);
    }
  }

  /** Commits what is pending. */
  commit(): void {
    if (this.#pending === 0) return;
    this.#db.exec("commit");
    this.#pending = 0;
  }

  close(): void {
    this.commit();
    this.#db.close();
  }

  /** Runs `work` as one change: all of it, or, where it throws, nothing. */
  change<T>(work: () => T): T {
    if (this.#pending === 0) this.#db.exec("begin immediate");
    this.#pending += 1;
    this.run("savepoint change");
    try {
      const result = work();
      this.run("release change");
      if (this.#pending >= BATCH) this.commit();
      return result;
    } catch (error) {
      this.#db.exec("rollback to change; release change");
      throw error;
    }
  }

  /**
   * Runs `work` as a transaction of its own, for changes of any size: the savepoint of `change` would hold the old
   * content of every page that is touched in memory.
   */
  changeMuch<T>(work: () => T): T {
    this.commit();
    this.#db.exec("begin immediate");
    try {
      const result = work();
      this.#db.exec("commit");
      return result;
    } catch (error) {
      this.#db.exec("rollback");
      throw error;
    }
  }

  statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  run(sql: string, ...parameters: SQLInputValue[]): void {
    this.statement(sql).run(...parameters);
  }

  get(sql: string, ...parameters: SQLInputValue[]): Row | undefined {
    return this.statement(sql).get(...parameters);
  }

  /** A fresh statement each time: two walks over one statement would disturb each other. */
  each(sql: string, ...parameters: SQLInputValue[]): Iterable<Row> {
    return this.#db.prepare(sql).iterate(...parameters);
  }
}

function open(path: string, readOnly: boolean): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly, timeout: 10_000 });
  try {
    const found = Number(db.prepare("pragma user_version").get()?.["user_version"] ?? 0);
    if (found > CATALOG_VERSION) throw new CatalogVersionError(path, found);
    if (readOnly) return db;
    db.exec(
      "pragma journal_mode = wal; pragma synchronous = normal; pragma cache_size = -16000; pragma temp_store = memory;",
    );
    if (found === 1) db.exec(`begin immediate; ${CATALOG_UPGRADE_1} pragma user_version = 2; commit`);
    db.exec(CATALOG_SCHEMA);
    db.exec(`pragma user_version = ${CATALOG_VERSION}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
