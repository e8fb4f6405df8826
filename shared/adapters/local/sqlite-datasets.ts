import {
  type DatasetEntry,
  type DatasetRecord,
  type DatasetUse,
  type Fence,
  FencedError,
} from "../../ports/catalog.ts";
import { textOf } from "./catalog-rows.ts";
import type { SqliteSession } from "./sqlite-session.ts";

/** The datasets of the local catalog. */
export class SqliteDatasets {
  readonly #sql: SqliteSession;

  constructor(sql: SqliteSession) {
    this.#sql = sql;
  }

  register(
    dataset: DatasetRecord,
    options: { readonly now: number; readonly fence?: Fence },
  ): "registered" | "known" {
    return this.#sql.changeMuch(() => {
      const { fence } = options;
      if (fence !== undefined) {
        const held = this.#sql.get("select version from ledger where key = ?", fence.key);
        if (held?.["version"] !== fence.version) throw new FencedError(fence);
      }
      if (this.has(dataset.name, dataset.version)) return "known";
      const { name, version, format } = dataset;
      const insert = "insert into datasets (name, version, format, created_at) values (?, ?, ?, ?)";
      this.#sql.run(insert, name, version, format, options.now);
      for (const { id, split } of dataset.rows) {
        this.#sql.run("insert into dataset_rows values (?, ?, ?, ?)", id, name, version, split);
        this.#sql.run("update trajectories set export_count = export_count + 1 where id = ?", id);
      }
      return "registered";
    });
  }

  has(name: string, version: string): boolean {
    return (
      this.#sql.get("select 1 from datasets where name = ? and version = ?", name, version) !== undefined
    );
  }

  *all(): Generator<DatasetEntry> {
    const sql = `select d.*, (select count(*) from dataset_rows r where r.name = d.name and r.version = d.version)
      as rows from datasets d order by name, created_at, version`;
    for (const row of this.#sql.each(sql)) {
      yield {
        name: textOf(row["name"]),
        version: textOf(row["version"]),
        format: textOf(row["format"]),
        rows: Number(row["rows"]),
        createdAt: Number(row["created_at"]),
        announced: row["announced"] === 1,
      };
    }
  }

  announce(name: string, version: string): void {
    const sql = "update datasets set announced = 1 where name = ? and version = ?";
    this.#sql.change(() => this.#sql.run(sql, name, version));
  }

  /** There are few tombstones and many rows: the cross join has SQLite begin with the former. */
  forgottenIn(name: string, version: string): readonly string[] {
    const sql = `select r.id from tombstones t cross join dataset_rows r on r.id = t.id
      where r.name = ? and r.version = ? order by r.id`;
    return [...this.#sql.each(sql, name, version)].map((row) => textOf(row["id"]));
  }

  of(id: string): readonly DatasetUse[] {
    const rows = this.#sql.each("select * from dataset_rows where id = ? order by name, version", id);
    return [...rows].map((row) => ({
      name: textOf(row["name"]),
      version: textOf(row["version"]),
      split: textOf(row["split"]),
    }));
  }
}
