import { ByteWriter, type ParquetWriter } from "hyparquet-writer";
import type { Column } from "./column-type.ts";
import { addGroup, type EncodedGroup, parquetWriter } from "./parquet-group.ts";

/** Makes the bytes of a file from lines of JSON, a piece at a time. */
export interface RowEncoder {
  /** Bytes that may be written now; often none. */
  add(line: Uint8Array): Promise<Uint8Array> | Uint8Array;
  end(): Promise<Uint8Array> | Uint8Array;
}

export type FileFormat = "jsonl" | "parquet";

/** Encodes lines of JSON, one after another in these bytes, as a row group. */
export type GroupEncoder = (lines: Uint8Array) => Promise<EncodedGroup>;

export function rowEncoder(
  format: FileFormat,
  by: { readonly columns: readonly Column[]; readonly encode: GroupEncoder },
): RowEncoder {
  return format === "jsonl" ? JSON_LINES : new ParquetEncoder(by.columns, by.encode);
}

const NOTHING = new Uint8Array(0);
const JSON_LINES: RowEncoder = { add: (line) => line, end: () => NOTHING };

/** A row group is encoded once its lines of JSON have so many bytes, or it has so many rows. */
const GROUP_BYTES = 16 << 20;
const GROUP_ROWS = 10_000;

/**
 * Parquet in row groups: what is held in memory are the lines of two of them, one that fills and one that is encoded
 * meanwhile. The rows are those of the lines, column by column.
 */
class ParquetEncoder implements RowEncoder {
  readonly #encode: GroupEncoder;
  readonly #bytes = new ByteWriter();
  readonly #writer: ParquetWriter;
  #lines: Uint8Array[] = [];
  #size = 0;
  #underWay: Promise<EncodedGroup> | undefined;

  constructor(columns: readonly Column[], encode: GroupEncoder) {
    this.#encode = encode;
    this.#writer = parquetWriter(columns, this.#bytes);
  }

  add(line: Uint8Array): Promise<Uint8Array> | Uint8Array {
    this.#lines.push(line);
    this.#size += line.length;
    return this.#size < GROUP_BYTES && this.#lines.length < GROUP_ROWS ? NOTHING : this.#nextGroup();
  }

  async end(): Promise<Uint8Array> {
    const groups = [await this.#nextGroup(), await this.#nextGroup()];
    this.#writer.finish();
    return Buffer.concat([...groups, this.#take()]);
  }

  /** Waits for the group that is under way, and begins with the next where there is one. */
  async #nextGroup(): Promise<Uint8Array> {
    const lines = this.#lines;
    this.#lines = [];
    this.#size = 0;
    const done = await this.#underWay;
    this.#underWay = lines.length === 0 ? undefined : this.#encode(Buffer.concat(lines));
    // It is waited for later, or never where the file is given up.
    this.#underWay?.catch(() => undefined);
    if (done !== undefined) addGroup(done, this.#writer);
    return this.#take();
  }

  /** What was encoded since it was last taken. The writer's `offset` counts on, since the footer names places by it. */
  #take(): Uint8Array {
    const bytes = this.#bytes.getBytes().slice();
    this.#bytes.index = 0;
    return bytes;
  }
}
