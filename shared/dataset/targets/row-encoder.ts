import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { type Column, hasJson } from "./column-type.ts";
import { parseAsWritten } from "./exact-json.ts";
import { parquetSchema, parquetValue } from "./parquet-schema.ts";
import type { Row } from "./write-row.ts";

/** Makes the bytes of a file from lines of JSON, a piece at a time. */
export interface RowEncoder {
  /** Bytes that may be written now; often none. */
  add(line: Uint8Array): Uint8Array;
  end(): Uint8Array;
}

export type FileFormat = "jsonl" | "parquet";

export function rowEncoder(format: FileFormat, columns: readonly Column[]): RowEncoder {
  return format === "jsonl" ? JSON_LINES : new ParquetEncoder(columns);
}

const NOTHING = new Uint8Array(0);
const JSON_LINES: RowEncoder = { add: (line) => line, end: () => NOTHING };

/** A row group is written once its lines of JSON have so many bytes, or it has so many rows. */
const GROUP_BYTES = 16 << 20;
const GROUP_ROWS = 10_000;

/** Parquet in row groups: what is held in memory is one of them. The rows are those of the lines, column by column. */
class ParquetEncoder implements RowEncoder {
  readonly #columns: readonly Column[];
  readonly #parse: (json: string) => unknown;
  readonly #bytes = new ByteWriter();
  readonly #writer: ParquetWriter;
  #rows: Row[] = [];
  #size = 0;

  constructor(columns: readonly Column[]) {
    this.#columns = columns;
    this.#parse = columns.some(({ type }) => hasJson(type)) ? parseAsWritten : JSON.parse;
    this.#writer = new ParquetWriter({
      writer: this.#bytes,
      schema: parquetSchema(columns),
      createdBy: "gymline",
    });
  }

  add(line: Uint8Array): Uint8Array {
    const text = Buffer.from(line.buffer, line.byteOffset, line.length).toString("utf8");
    this.#rows.push(this.#parse(text) as Row);
    this.#size += line.length;
    if (this.#size < GROUP_BYTES && this.#rows.length < GROUP_ROWS) return NOTHING;
    this.#writeGroup();
    return this.#take();
  }

  end(): Uint8Array {
    if (this.#rows.length > 0) this.#writeGroup();
    this.#writer.finish();
    return this.#take();
  }

  #writeGroup(): void {
    const rows = this.#rows;
    const columnData = this.#columns.map(({ name, type }) => ({
      name,
      data: rows.map((row) => parquetValue(row[name], type)),
    }));
    this.#writer.write({ columnData, rowGroupSize: rows.length });
    this.#rows = [];
    this.#size = 0;
  }

  /** What was encoded since it was last taken. The writer's `offset` counts on, since the footer names places by it. */
  #take(): Uint8Array {
    const bytes = this.#bytes.getBytes().slice();
    this.#bytes.index = 0;
    return bytes;
  }
}
