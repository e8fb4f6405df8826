import { parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { datasetPrefix } from "../contracts/keys.ts";
import type { Manifest } from "../dataset/manifest.ts";
import type { SplitName } from "../dataset/split.ts";
import type { Column } from "../dataset/targets/column-type.ts";
import { rowFromParquet } from "../dataset/targets/parquet-row.ts";
import type { Row } from "../dataset/targets/write-row.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { linesOf } from "./version-inputs.ts";

/** A file of a dataset version does not hold the rows that it should; the message says which and where. */
export class DatasetFileError extends Error {
  override readonly name = "DatasetFileError";
}

export interface VersionRow {
  readonly split: SplitName;
  readonly row: Row;
}

/**
 * The rows of a version as its files hold them, in their order. Of JSON Lines one row is held at a time; a Parquet file
 * is read as a whole and decoded a row group at a time.
 * @throws DatasetFileError, ObjectNotFoundError
 */
export async function* versionRows(
  { name, version, files }: Pick<Manifest, "name" | "version" | "files">,
  { store, columns }: { readonly store: ObjectStore; readonly columns: readonly Column[] },
): AsyncGenerator<VersionRow> {
  for (const { path, split } of files) {
    const key = datasetPrefix(name, version) + path;
    const rows = path.endsWith(".parquet") ? parquetRows(key, { store, columns }) : jsonRows(key, store);
    for await (const row of rows) yield { split, row };
  }
}

async function* jsonRows(key: string, store: ObjectStore): AsyncGenerator<Row> {
  let number = 0;
  for await (const line of linesOf(store.stream(key))) {
    number += 1;
    let row: unknown;
    try {
      row = JSON.parse(line.toString("utf8"));
    } catch {
      throw fileError(`${key}:${number} is no JSON`);
    }
    if (typeof row !== "object" || row === null || Array.isArray(row))
      throw fileError(`${key}:${number} is no JSON object`);
    yield row as Row;
  }
}

async function* parquetRows(
  key: string,
  { store, columns }: { readonly store: ObjectStore; readonly columns: readonly Column[] },
): AsyncGenerator<Row> {
  const bytes = await store.read(key);
  const file = new Uint8Array(bytes).buffer;
  try {
    const metadata = await parquetMetadataAsync(file);
    let rowStart = 0;
    for (const { num_rows: count } of metadata.row_groups) {
      const rowEnd = rowStart + Number(count);
      for (const row of await parquetReadObjects({ file, metadata, rowStart, rowEnd }))
        yield rowFromParquet(row, columns);
      rowStart = rowEnd;
    }
  } catch (cause) {
    throw fileError(`${key} is no Parquet file that can be read`, cause);
  }
}

function fileError(fault: string, cause?: unknown): DatasetFileError {
  const remedy =
    "gymline datasets verify says what else is damaged; export with the same settings writes it anew";
  return new DatasetFileError(`${fault}; ${remedy}`, cause === undefined ? {} : { cause });
}
