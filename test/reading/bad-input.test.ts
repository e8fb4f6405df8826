import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { LineSplitter } from "../../shared/reading/line-splitter.ts";
import { readRecords } from "../../shared/reading/read-records.ts";
import type { ByteSource } from "../../shared/reading/source.ts";
import { chunkedSource, codesOf, concat, FRAMER, limitsOf, MIB, read, textsOf, utf8 } from "./sources.ts";

/** `{"big":"xxx…"}` of the given size between two good lines, never in memory as a whole. */
function hugeLineSource(hugeBytes: number, state: { served: number }): ByteSource {
  const filler = new Uint8Array(MIB).fill(0x78);
  const head = utf8('{"a":1}\n{"big":"');
  const tail = utf8('"}\n{"b":2}\n');
  return {
    name: "huge.jsonl",
    size: head.length + hugeBytes + tail.length,
    async *open() {
      yield head;
      for (let left = hugeBytes; left > 0; left -= MIB) {
        state.served += 1;
        yield filler.subarray(0, Math.min(left, MIB));
      }
      yield tail;
    },
  };
}

describe("readRecords on bad input", () => {
  it("skips a line over the limit as one rejection and goes on after it", async () => {
    const reading = await read(hugeLineSource(200 * MIB, { served: 0 }), {
      limits: { maxRecordBytes: 4 * MIB },
    });
    expect(textsOf(reading)).toEqual(['{"a":1}', '{"b":2}']);
    expect(reading.rejections).toMatchObject([{ code: "record-too-large", line: 2, byteOffset: 8 }]);
  });

  it("never holds more of a long line than the limit", () => {
    const splitter = new LineSplitter({ maxRecordBytes: 3 * MIB, startOffset: 0, sink: () => undefined });
    let most = 0;
    for (let count = 0; count < 200; count += 1) {
      splitter.push(new Uint8Array(MIB).fill(0x78));
      most = Math.max(most, splitter.held);
    }
    expect(most).toBe(3 * MIB);
    expect(splitter.held).toBe(0);
  });

  it("gives the first rows before it has read the rest", async () => {
    const state = { served: 0 };
    const source = hugeLineSource(50 * MIB, state);
    const first = '{"x":1}\n{"y":2}\n';
    const early: ByteSource = {
      ...source,
      async *open(range) {
        yield utf8(first.padEnd(600, " \n"));
        yield* source.open(range);
      },
    };
    for await (const item of readRecords({ source: early, limits: limitsOf(), framer: FRAMER })) {
      expect(item.kind).toBe("record");
      break;
    }
    expect(state.served).toBe(0);
  });

  it("skips an element over the limit and goes on after it", async () => {
    const text = `[{"a":1},{"big":"${"x".repeat(5000)}"},{"b":2}]`;
    const reading = await read(chunkedSource(text, { sizes: [700] }), { limits: { maxRecordBytes: 1000 } });
    expect(textsOf(reading)).toEqual(['{"a":1}', '{"b":2}']);
    expect(reading.rejections).toMatchObject([{ code: "record-too-large", jsonPath: "$[1]" }]);
  });

  it("rejects a trajectory of many lines that is over the limit as a whole, once", async () => {
    const reading = await read(chunkedSource('{"event":1}\n'.repeat(500), { sizes: [100] }), {
      limits: { maxRecordBytes: 1000 },
    });
    expect(codesOf(reading)).toEqual(["record-too-large"]);
    expect(reading.records).toEqual([]);
  });

  it("reads rows of a list that is larger than the limit for one record", async () => {
    const rows = Array.from({ length: 500 }, (_, row) => JSON.stringify({ row }));
    const limits = { maxRecordBytes: 1000 };
    const array = await read(chunkedSource(`[${rows.join(",")}]`, { sizes: [64] }), { limits });
    expect(textsOf(array)).toEqual(rows);
    expect(textsOf(await read(chunkedSource(rows.join("\n"), { sizes: [64] }), { limits }))).toEqual(rows);
  });

  it("rejects only the record that is not UTF-8, or holds NUL, or is no object, and names its line", async () => {
    const bytes = concat(
      utf8('{"a":1}\n{"b":"'),
      Uint8Array.of(0xc3, 0x28),
      utf8('"}\n{"c":"\0"}\nplain text\n42\n{"d":\n\n{"e":5}\n'),
    );
    const reading = await read(chunkedSource(bytes));
    expect(textsOf(reading)).toEqual(['{"a":1}', '{"e":5}']);
    expect(reading.rejections.map(({ code, line }) => [code, line])).toEqual([
      ["invalid-utf8", 2],
      ["nul-bytes", 3],
      ["not-json", 4],
      ["not-json", 5],
      ["unfinished-json", 6],
    ]);
  });

  it("rejects the last record of a file that breaks off, with its line", async () => {
    const lines = await read(chunkedSource('{"a":1}\n{"b":2}\n{"c":'));
    expect([textsOf(lines), lines.rejections.map(({ code, line }) => [code, line])]).toEqual([
      ['{"a":1}', '{"b":2}'],
      [["unfinished-json", 3]],
    ]);
    const array = await read(chunkedSource('[{"a":1},\n{"b":{}},\n{"c":'));
    expect([textsOf(array), array.rejections.map(({ code, jsonPath }) => [code, jsonPath])]).toEqual([
      ['{"a":1}', '{"b":{}}'],
      [["unfinished-json", "$[2]"]],
    ]);
    const open = await read(chunkedSource('[{"a":1},\n{"b":2}\n'));
    expect([textsOf(open), codesOf(open)]).toEqual([['{"a":1}', '{"b":2}'], ["unfinished-json"]]);
    expect(codesOf(await read(chunkedSource('{\n "a": [1,\n')))).toEqual(["unfinished-json"]);
  });

  it("rejects what follows a top-level array", async () => {
    const reading = await read(chunkedSource('[{"a":1},\n{"b":2}]\n\nmore {"c":3}'));
    expect(textsOf(reading)).toEqual(['{"a":1}', '{"b":2}']);
    expect(reading.rejections).toMatchObject([{ code: "trailing-content", line: 4 }]);
  });

  it.each([
    ["UTF-16 with a mark", Buffer.from('\ufeff{"a":1}', "utf16le"), "unsupported-encoding", "UTF-16"],
    ["UTF-16 without a mark", Buffer.from('{"a":1}', "utf16le"), "unsupported-encoding", "UTF-16"],
    ["big-endian UTF-16", Buffer.from('{"a":1}', "utf16le").swap16(), "unsupported-encoding", "UTF-16"],
    ["UTF-32 with a mark", Buffer.from("fffe00007b000000", "hex"), "unsupported-encoding", "UTF-32"],
    ["UTF-32 without a mark", Buffer.from("0000007b0000007d", "hex"), "unsupported-encoding", "UTF-32"],
    ["a Parquet file", Buffer.from("PAR1\x15\x04\x15"), "unsupported-format", "Parquet"],
    ["a tar archive", Buffer.from(`a.json${"\0".repeat(251)}ustar\x0000`), "unsupported-format", "tar"],
    ["unknown binary data", Buffer.from([1, 2, 3, 0, 0, 9, 200, 201]), "binary", "binary"],
  ])("rejects %s once, and says what it is", async (_, bytes, code, title) => {
    const reading = await read(chunkedSource(new Uint8Array(bytes)));
    expect(codesOf(reading)).toEqual([code]);
    expect(reading.rejections[0]?.reason).toContain(title);
  });

  it("gives up on a text without any JSON after its first lines", async () => {
    const reading = await read(chunkedSource("a line of prose\n".repeat(10_000), { sizes: [4096] }));
    expect(codesOf(reading)).toEqual(["not-json"]);
  });

  it("lists so many rejections of a file and counts the rest, while good rows go on", async () => {
    const reading = await read(chunkedSource('{"a":1}\n{"b":2}\nbad\nbad\nbad\nbad\n{"c":3}\n'), {
      limits: { maxRejectionsPerFile: 2 },
    });
    expect(textsOf(reading)).toEqual(['{"a":1}', '{"b":2}', '{"c":3}']);
    expect(codesOf(reading)).toEqual(["not-json", "not-json", "more-rejections"]);
    expect(reading.rejections[2]?.reason).toContain("2 more");
  });

  it("rejects an object over the size limit unopened", async () => {
    const source: ByteSource = {
      name: "big",
      size: 11,
      open: () => {
        throw new Error("opened");
      },
    };
    expect(codesOf(await read(source, { limits: { maxObjectBytes: 10 } }))).toEqual(["object-too-large"]);
  });

  it("keeps the rows before a read error and names the error's code, not its text", async () => {
    const source: ByteSource = {
      name: "gone",
      size: 1000,
      async *open() {
        yield utf8('{"a":1}\n{"b":2}\n{"c"');
        throw Object.assign(new Error("secret path"), { code: "EIO" });
      },
    };
    const reading = await read(source);
    expect(textsOf(reading)).toEqual(['{"a":1}', '{"b":2}']);
    expect(reading.rejections).toMatchObject([{ code: "unreadable", byteOffset: 20 }]);
    expect(JSON.stringify(reading.rejections)).toContain("EIO");
    expect(JSON.stringify(reading.rejections)).not.toContain("secret");
  });

  it("tells of an object that became shorter while it was read", async () => {
    const source = { ...chunkedSource('{"a":1}\n{"b":2}\n'), size: 100 };
    const reading = await read(source);
    expect([textsOf(reading), codesOf(reading)]).toEqual([['{"a":1}', '{"b":2}'], ["changed-while-read"]]);
  });

  it("lets an error of the framer through", async () => {
    const framer = {
      isPart: () => {
        throw new RangeError("broken framer");
      },
    };
    await expect(read(chunkedSource('{"a":1}\n{"b":2}\n'), { framer })).rejects.toThrow("broken framer");
  });

  it("quotes no content in any rejection", async () => {
    const secret = "hunter2secret";
    const text = `${secret}\n{"k":"${secret}\n{"k":"${secret}"]\n{"a":1}\n[${secret}\n"${secret}"\n`;
    const reading = await read(chunkedSource(text));
    expect(reading.rejections.length).toBeGreaterThan(2);
    expect(JSON.stringify(reading.rejections)).not.toContain(secret);
  });

  it("never throws on random bytes, whatever they begin with", async () => {
    const magic = fc.constantFrom(
      "",
      "{",
      "[",
      '{"a":1}\n',
      '[{"a":1},',
      "\x1f\x8b\x08\0",
      "\x28\xb5\x2f\xfd",
      "PK\x03\x04",
      "PK\x05\x06",
      "\xef\xbb\xbf",
      "\x50\x2a\x4d\x18",
    );
    const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(magic, fc.uint8Array({ maxLength: 300 }), sizes, async (head, tail, cut) => {
        const bytes = concat(Buffer.from(head, "latin1"), tail);
        const reading = await read(chunkedSource(bytes, { sizes: cut }));
        expect(reading.items.length).toBeGreaterThan(0);
      }),
      { numRuns: 1000 },
    );
  });
});
