import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { ByteWriter } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import type { Column } from "../../../shared/dataset/targets/column-type.ts";
import { encodeGroup, parquetWriter } from "../../../shared/dataset/targets/parquet-group.ts";
import { parquetValue } from "../../../shared/dataset/targets/parquet-schema.ts";
import { rowEncoder } from "../../../shared/dataset/targets/row-encoder.ts";
import { type Row, rowPieces } from "../../../shared/dataset/targets/write-row.ts";

const about = { extra: true, meaning: "" } as const;
const COLUMNS: readonly Column[] = [
  { name: "messages", type: { list: "json" }, ...about },
  { name: "agent", type: "string", ...about },
  { name: "rewards", type: { list: "float64" }, ...about },
  { name: "of", type: { struct: [{ name: "n", type: "int64" }] }, ...about },
];

/** Rows of some 60 kB, so that columns have several pages and files several groups; few agents, for a dictionary. */
function rowOf(index: number): Row {
  const text = `${index} `.repeat(20_000).slice(0, 60_000);
  const messages = [
    { role: "user", content: text },
    { role: "assistant", n: index / 4 },
  ];
  return { messages, agent: `agent ${index % 3}`, rewards: [1, index / 8], of: { n: index } };
}

const lineOf = (row: Row): Uint8Array => Buffer.from(rowPieces(row, COLUMNS).join(""));

async function encoded(lines: readonly Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  // Crossing to another thread, what is one object in two places stays one.
  const encode = async (group: Uint8Array) => structuredClone(encodeGroup(group, COLUMNS));
  const encoder = rowEncoder("parquet", { columns: COLUMNS, encode });
  for (const line of lines) parts.push(await encoder.add(line));
  parts.push(await encoder.end());
  return new Uint8Array(Buffer.concat(parts));
}

describe("row groups encoded one by one", () => {
  it("give the bytes of a file that one writer wrote from start to end", async () => {
    const rows = Array.from({ length: 700 }, (_, index) => rowOf(index));
    const file = await encoded(rows.map(lineOf));
    const { row_groups: groups } = parquetMetadata(file.buffer);
    expect(groups.length).toBeGreaterThan(2);
    expect(groups.some(({ columns }) => columns.some((each) => each.offset_index_offset !== undefined))).toBe(
      true,
    );
    const bytes = new ByteWriter();
    const whole = parquetWriter(COLUMNS, bytes);
    let from = 0;
    for (const { num_rows: count } of groups) {
      const own = rows.slice(from, from + Number(count));
      const columnData = COLUMNS.map(({ name, type }) => ({
        name,
        data: own.map((row) => parquetValue(row[name], type)),
      }));
      whole.write({ columnData, rowGroupSize: own.length });
      from += own.length;
    }
    whole.finish();
    expect(from).toBe(rows.length);
    expect(Buffer.compare(file, bytes.getBytes())).toBe(0);
  });

  it("keep numbers of free JSON as they were written, where doubles would not give them back", async () => {
    const line = '{"messages":[{"x":1.0,"id":9007199254740993}],"agent":"a","rewards":[1.0],"of":{"n":3}}\n';
    const [row] = await parquetReadObjects({ file: (await encoded([Buffer.from(line)])).buffer });
    expect(row).toEqual({
      messages: ['{"x":1.0,"id":9007199254740993}'],
      agent: "a",
      rewards: [1],
      of: { n: 3n },
    });
  });

  it("fail as the file is ended, and not before anybody waits, where a group cannot be encoded", async () => {
    const encode = () => Promise.reject(new Error("no thread is left"));
    const encoder = rowEncoder("parquet", { columns: COLUMNS, encode });
    await encoder.add(lineOf(rowOf(1)));
    await expect(encoder.end()).rejects.toThrow("no thread is left");
  });
});
