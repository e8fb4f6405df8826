import { DatabaseSync } from "node:sqlite";

/** What SQLite itself says of a catalog file, and what no stage asks for. */
export interface CatalogInspection {
  /** What is wrong with the file, a line each; nothing where it is sound. */
  readonly faults: readonly string[];
  /** Attachments by hash, each with one of the trajectories that refer to it. */
  readonly attachments: ReadonlyMap<string, string>;
}

const MOST_FAULTS = 20;

/** Reads a catalog file beside a process that may be writing to it. */
export function inspectCatalog(path: string): CatalogInspection {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 10_000 });
  try {
    const lines = db.prepare(`pragma integrity_check(${MOST_FAULTS})`).all();
    const faults = lines.map((row) => String(row["integrity_check"])).filter((line) => line !== "ok");
    const rows = db.prepare("select sha256, min(id) as id from blobs group by sha256").all();
    return { faults, attachments: new Map(rows.map((row) => [String(row["sha256"]), String(row["id"])])) };
  } finally {
    db.close();
  }
}
