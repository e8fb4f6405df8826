import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { type Column, hasJson } from "./column-type.ts";
import { parseAsWritten } from "./exact-json.ts";
import { parquetSchema, parquetValue } from "./parquet-schema.ts";
import type { Row } from "./write-row.ts";

/** A row group as it stands in a file, with its places counted from the group's own start. */
export interface EncodedGroup {
  readonly bytes: Uint8Array;
  readonly facts: ParquetWriter["row_groups"][number];
  readonly indexes: ParquetWriter["pendingIndexes"];
}

/** `PAR1`, with which each file begins. */
const MAGIC_BYTES = 4;

export function parquetWriter(columns: readonly Column[], writer: ByteWriter): ParquetWriter {
  return new ParquetWriter({ writer, schema: parquetSchema(columns), createdBy: "gymline" });
}

/** Encodes lines of JSON as one row group: most of the work of a Parquet file, of which a thread can do each by itself. */
export function encodeGroup(lines: Uint8Array, columns: readonly Column[]): EncodedGroup {
  const parse = columns.some(({ type }) => hasJson(type)) ? parseAsWritten : JSON.parse;
  const rows = [...linesOf(lines)].map((line) => parse(line) as Row);
  const bytes = new ByteWriter();
  const writer = parquetWriter(columns, bytes);
  const columnData = columns.map(({ name, type }) => ({
    name,
    data: rows.map((row) => parquetValue(row[name], type)),
  }));
  writer.write({ columnData, rowGroupSize: rows.length });
  const [facts] = writer.row_groups;
  if (facts === undefined) throw new TypeError("a row group without rows");
  return { bytes: bytes.getBytes().slice(MAGIC_BYTES), facts, indexes: writer.pendingIndexes };
}

/** Adds a group to a file: what its facts and indexes say of places then holds for the file. */
export function addGroup({ bytes, facts, indexes }: EncodedGroup, writer: ParquetWriter): void {
  const by = BigInt(writer.writer.offset - MAGIC_BYTES);
  for (const column of facts.columns) {
    column.file_offset += by;
    const { meta_data: of } = column;
    if (of === undefined) continue;
    of.data_page_offset += by;
    if (of.dictionary_page_offset !== undefined) of.dictionary_page_offset += by;
  }
  for (const { offsetIndex } of indexes) {
    for (const page of offsetIndex?.page_locations ?? []) page.offset += by;
  }
  writer.writer.appendBytes(bytes);
  writer.row_groups.push(facts);
  writer.num_rows += facts.num_rows;
  writer.pendingIndexes.push(...indexes);
}

const NEWLINE = 10;

function* linesOf(lines: Uint8Array): Generator<string> {
  const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.length);
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, start) + 1 || bytes.length;
    yield bytes.toString("utf8", start, end);
    start = end;
  }
}
