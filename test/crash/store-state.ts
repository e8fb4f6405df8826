import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { scoreKey } from "../../shared/contracts/keys.ts";
import { manifestSchema } from "../../shared/dataset/manifest.ts";
import { readDocument } from "../../shared/stages/compute-tasks.ts";
import { readScore } from "../../shared/stages/score-trajectory.ts";

const BESIDE = /^(?:\.tmp\/|\.lock\.sqlite|catalog\.sqlite)/;

/** All objects of the store in a folder, by key, each by the hash of its bytes. */
export function objectsOf(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(keysOf(folder).map((key) => [key, sha256(readFileSync(join(folder, key)))]));
}

function keysOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((key) => !BESIDE.test(key))
    .sort();
}

/** Every row of every table of the catalog, without the columns that say when it was written. */
export function catalogOf(folder: string): Readonly<Record<string, readonly string[]>> {
  const db = new DatabaseSync(join(folder, "catalog.sqlite"), { readOnly: true });
  try {
    const tables = db.prepare("select name from sqlite_master where type = 'table' order by name").all();
    return Object.fromEntries(
      tables.map(({ name }) => {
        const rows = db.prepare(`select * from "${String(name)}"`).all();
        return [String(name), rows.map(({ created_at: _, ...row }) => rowText(row)).sort()];
      }),
    );
  } finally {
    db.close();
  }
}

function rowText(row: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(row, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value,
  );
}

/** Objects that are not whole, each with what is wrong with it; of a store whose writer was just killed, too. */
export function brokenObjects(folder: string): readonly string[] {
  const broken: string[] = [];
  for (const key of keysOf(folder)) {
    try {
      check(folder, key);
    } catch (error) {
      broken.push(`${key}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return broken;
}

function check(folder: string, key: string): void {
  const bytes = readFileSync(join(folder, key));
  const [kind = ""] = key.split("/");
  if (kind === "trajectories") {
    const { id } = readDocument(bytes).extra.gymline;
    if (!key.includes(id)) throw new Error(`holds ${id}`);
  } else if (kind === "scores") {
    const { trajectory_id: id, scorer } = readScore(bytes);
    if (key !== scoreKey(id, scorer)) throw new Error(`holds ${id} by ${scorer}`);
  } else if (kind === "blobs") {
    if (key !== `blobs/${sha256(bytes)}`) throw new Error("holds other bytes than its name says");
  } else if (kind === "rejected") {
    JSON.parse(bytes.toString("utf8"));
  } else if (key.endsWith("/manifest.json")) {
    checkDataset(folder, key, bytes);
  } else if (kind !== "datasets") {
    throw new Error("belongs to no kind of object");
  }
}

/** A dataset that has its manifest is complete; one without may lack anything, but shows no half-written file. */
function checkDataset(folder: string, key: string, bytes: Buffer): void {
  const manifest = manifestSchema.parse(JSON.parse(bytes.toString("utf8")));
  for (const file of manifest.files) {
    const content = readFileSync(join(folder, key, "..", file.path));
    const rows = content.toString("utf8").trimEnd().split("\n").length;
    if (sha256(content) !== file.sha256 || content.length !== file.bytes || rows !== file.rows) {
      throw new Error(`${file.path} is not what the manifest says`);
    }
  }
  readFileSync(join(folder, key, "..", "README.md"));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
