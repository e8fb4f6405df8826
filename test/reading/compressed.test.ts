import { constants, gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { chunkedSource, codesOf, concat, MIB, read, textsOf, utf8 } from "./sources.ts";

const CODECS = [
  ["gzip", (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes))],
  ["Zstandard", (bytes: Uint8Array) => new Uint8Array(zstdCompressSync(bytes))],
] as const;

function rowsOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, row) =>
    JSON.stringify({ row, hash: (row * 2_654_435_761) % 4_294_967_291 }),
  );
}

describe.each(CODECS)("readRecords on %s", (_, pack) => {
  it("reads one or many members as one text, wherever they and the chunks are cut", async () => {
    const rows = rowsOf(40);
    const text = utf8(rows.join("\n"));
    const cuts = fc.array(fc.nat({ max: text.length }), { maxLength: 4 });
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(cuts, sizes, async (at, cut) => {
        const bounds = [0, ...at.sort((a, b) => a - b), text.length];
        const members = bounds.slice(1).map((end, index) => pack(text.subarray(bounds[index], end)));
        const reading = await read(chunkedSource(concat(...members), { sizes: cut }));
        expect([textsOf(reading), reading.rejections]).toEqual([rows, []]);
      }),
      { numRuns: 60 },
    );
  });

  it("reads a text much larger than its buffers", async () => {
    const rows = rowsOf(60_000);
    const reading = await read(chunkedSource(pack(utf8(rows.join("\n"))), { sizes: [70_001] }));
    expect(reading.rejections).toEqual([]);
    expect(textsOf(reading)).toEqual(rows);
  });

  it("takes two layers off and refuses a third", async () => {
    const text = utf8('{"a":1}');
    expect(textsOf(await read(chunkedSource(pack(pack(text)))))).toEqual(['{"a":1}']);
    expect(codesOf(await read(chunkedSource(pack(pack(pack(text))))))).toEqual(["nested-too-deep"]);
  });

  it("stops at a decompression bomb", async () => {
    const bomb = pack(new Uint8Array(40 * MIB).fill(0x20));
    expect(codesOf(await read(chunkedSource(bomb)))).toEqual(["expansion-ratio"]);
    const limits = { maxExpandedBytes: 3 * MIB };
    expect(codesOf(await read(chunkedSource(bomb), { limits }))).toEqual(["expands-too-far"]);
  });

  it("lets a small, very repetitive log pass", async () => {
    const text = `{"a":"${"x".repeat(8 * MIB)}"}`;
    expect(textsOf(await read(chunkedSource(pack(utf8(text)))))).toEqual([text]);
  });

  it("keeps the rows before data that breaks off, anywhere", async () => {
    const rows = rowsOf(3000);
    const packed = pack(utf8(rows.join("\n")));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 20, max: packed.length - 1 }), async (length) => {
        const reading = await read(chunkedSource(packed.subarray(0, length), { sizes: [1000] }));
        const texts = textsOf(reading);
        expect(texts).toEqual(rows.slice(0, texts.length));
        expect(codesOf(reading)).toEqual(["compressed-truncated"]);
        expect(reading.rejections[0]?.byteOffset).toBe(length);
      }),
      { numRuns: 40 },
    );
  });

  it("withholds a document whose data is damaged", async () => {
    const packed = pack(utf8('{"role":"a lone document"}'));
    const reading = await read(chunkedSource(packed.subarray(0, packed.length - 1)));
    expect([reading.records, codesOf(reading)]).toEqual([[], ["compressed-truncated"]]);
  });

  it("never throws on damaged data", async () => {
    const rows = rowsOf(300);
    const packed = pack(utf8(rows.join("\n")));
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 4, max: packed.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const damaged = packed.slice();
          damaged[at] = (damaged[at] ?? 0) ^ flip;
          expect((await read(chunkedSource(damaged))).items.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("readRecords on gzip", () => {
  it("gives all that can be decoded of data that breaks off", async () => {
    const rows = rowsOf(3000);
    const packed = gzipSync(rows.join("\n"));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2000, max: packed.length - 1 }), async (length) => {
        const part = packed.subarray(0, length);
        const decodable = gunzipSync(part, { finishFlush: constants.Z_SYNC_FLUSH }).toString();
        const complete = decodable.split("\n").slice(0, -1);
        const texts = textsOf(await read(chunkedSource(new Uint8Array(part))));
        expect(texts.slice(0, complete.length)).toEqual(complete);
      }),
      { numRuns: 40 },
    );
  });

  it("reads past zero padding after the last member", async () => {
    const padded = concat(gzipSync('{"a":1}\n{"b":2}'), new Uint8Array(1024));
    expect(textsOf(await read(chunkedSource(padded)))).toEqual(['{"a":1}', '{"b":2}']);
    expect(textsOf(await read(chunkedSource(padded, { sizes: [7] })))).toEqual(['{"a":1}', '{"b":2}']);
  });

  it("keeps the rows before a damaged part of a long file", async () => {
    const rows = rowsOf(60_000);
    const packed = new Uint8Array(gzipSync(rows.join("\n")));
    const middle = Math.floor(packed.length / 2);
    packed.fill(0, middle, middle + 2000);
    const reading = await read(chunkedSource(packed));
    expect(codesOf(reading)).toContain("compressed-corrupt");
    expect(textsOf(reading).length).toBeGreaterThan(20_000);
    expect(textsOf(reading).slice(0, 20_000)).toEqual(rows.slice(0, 20_000));
  });
});

describe("readRecords on Zstandard", () => {
  it("reads past skippable frames", async () => {
    const skippable = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
    const packed = concat(skippable, zstdCompressSync('{"a":1}\n'), skippable, zstdCompressSync('{"b":2}\n'));
    expect(textsOf(await read(chunkedSource(packed)))).toEqual(['{"a":1}', '{"b":2}']);
  });

  it("tells of what follows the last frame", async () => {
    const reading = await read(
      chunkedSource(concat(zstdCompressSync('{"a":1}\n{"b":2}\n'), utf8("not a frame"))),
    );
    expect([textsOf(reading), codesOf(reading)]).toEqual([['{"a":1}', '{"b":2}'], ["compressed-corrupt"]]);
  });

  it("refuses a frame that wants gigabytes of memory", async () => {
    const header = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0, 0, 0);
    expect(codesOf(await read(chunkedSource(header)))).toEqual(["zstd-window"]);
  });
});
