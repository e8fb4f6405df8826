import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { chunkedSource, codesOf, MIB, read, textOf, textsOf, utf8 } from "./sources.ts";
import type { ZipEntry } from "./zip-factory.ts";
import { zipOf } from "./zip-factory.ts";

const GOOD: ZipEntry = { name: "good.json", data: '{"good":1}' };

async function readZip(entries: readonly ZipEntry[], limits = {}) {
  return read(chunkedSource(zipOf(entries), { name: "logs.zip" }), { limits });
}

describe("readRecords on zip", () => {
  it("reads each entry as a file of its own, however it is packed", async () => {
    const reading = await readZip([
      { name: "stored.json", data: '{"a":1}', method: 0 },
      { name: "dir/", data: "", method: 0 },
      { name: "dir/deflated.jsonl", data: '{"b":1}\n{"b":2}\n' },
      { name: "zstd.json", data: '{"c":1}', method: 93, packed: zstdCompressSync('{"c":1}') },
      { name: "./inner.json.gz", data: gzipSync('{"d":1}') },
    ]);
    expect(reading.rejections).toEqual([]);
    expect(
      reading.records.map((record) => [record.source, record.entry, record.index, textOf(record)]),
    ).toEqual([
      ["logs.zip", "stored.json", 0, '{"a":1}'],
      ["logs.zip", "dir/deflated.jsonl", 0, '{"b":1}'],
      ["logs.zip", "dir/deflated.jsonl", 1, '{"b":2}'],
      ["logs.zip", "zstd.json", 0, '{"c":1}'],
      ["logs.zip", "inner.json.gz", 0, '{"d":1}'],
    ]);
  });

  it("reads many entries from a source that serves small ranges", async () => {
    const entries = Array.from({ length: 3000 }, (_, at) => ({ name: `${at}.json`, data: `{"n":${at}}` }));
    const reading = await read(chunkedSource(zipOf(entries), { sizes: [4096] }));
    expect(textsOf(reading)).toEqual(entries.map((entry) => entry.data));
  });

  it("skips dotfiles and the folders that macOS adds", async () => {
    const data = '{"x":1}';
    const reading = await readZip([
      { name: "__MACOSX/a.json", data },
      { name: ".DS_Store", data },
      { name: "a/.b/c", data },
      GOOD,
    ]);
    expect([textsOf(reading), reading.rejections]).toEqual([['{"good":1}'], []]);
  });

  it.each([
    ["a path above the archive", { name: "../evil.json" }, "unsafe-entry-name"],
    ["a path above, further down", { name: "a/../../evil.json" }, "unsafe-entry-name"],
    ["an absolute path", { name: "/etc/evil.json" }, "unsafe-entry-name"],
    ["a drive letter", { name: "C:evil.json" }, "unsafe-entry-name"],
    ["a backslash", { name: "..\\evil.json" }, "unsafe-entry-name"],
    ["a NUL in its name", { name: "evil\0.json" }, "unsafe-entry-name"],
    ["a symbolic link", { name: "link", mode: 0o120777 }, "special-entry"],
    ["a pipe", { name: "pipe", mode: 0o010644 }, "special-entry"],
    ["encryption", { name: "locked.json", flags: 0x801 }, "encrypted"],
    ["a method not known", { name: "lzma.json", method: 14 }, "unsupported-compression"],
    ["a wrong checksum", { name: "crc.json", crc: 1 }, "zip-entry-corrupt"],
    [
      "data that is no deflate",
      { name: "junk.json", packed: utf8("\xff\xff\xff junk") },
      "compressed-corrupt",
    ],
    ["a name given before", { name: "./good.json" }, "duplicate-entry"],
  ] as const)("rejects an entry with %s and reads the others", async (_, entry, code) => {
    const reading = await readZip([GOOD, { data: '{"evil":1}', ...entry }, { ...GOOD, name: "last.json" }]);
    expect(codesOf(reading)).toEqual([code]);
    expect(reading.rejections[0]?.entry).toBeDefined();
    expect(reading.records.map((record) => record.entry)).toEqual(["good.json", "last.json"]);
  });

  it("withholds a damaged document but keeps the rows of a damaged list", async () => {
    const reading = await readZip([
      { name: "one.json", data: '{"a":1}', crc: 1 },
      { name: "rows.jsonl", data: '{"a":1}\n{"b":2}\n', crc: 1 },
    ]);
    expect(textsOf(reading)).toEqual(['{"a":1}', '{"b":2}']);
    expect(reading.rejections.map(({ entry, code }) => [entry, code])).toEqual([
      ["one.json", "zip-entry-corrupt"],
      ["rows.jsonl", "zip-entry-corrupt"],
    ]);
  });

  it("reads a zip in a zip, packed or stored, and refuses a third", async () => {
    const inner = zipOf([GOOD]);
    const outer = await readZip([
      { name: "packed.zip", data: inner },
      { name: "stored.zip", data: inner, method: 0 },
      { name: "third.zip", data: zipOf([{ name: "inner.zip", data: inner }]) },
    ]);
    expect(outer.records.map((record) => [record.entry, textOf(record)])).toEqual([
      ["packed.zip!good.json", '{"good":1}'],
      ["stored.zip!good.json", '{"good":1}'],
    ]);
    expect(outer.rejections.map(({ entry, code }) => [entry, code])).toEqual([
      ["third.zip!inner.zip", "nested-too-deep"],
    ]);
  });

  it("reads a zip inside gzip, and says so when it is too large for that", async () => {
    const packed = new Uint8Array(gzipSync(zipOf([GOOD])));
    expect(textsOf(await read(chunkedSource(packed)))).toEqual(['{"good":1}']);
    const small = await read(chunkedSource(packed), { limits: { maxRecordBytes: 50 } });
    expect(codesOf(small)).toEqual(["inner-archive-too-large"]);
  });

  it("stops one bomb and reads the other entries", async () => {
    const bomb = { name: "bomb.json", data: new Uint8Array(40 * MIB).fill(0x20) };
    const reading = await readZip([bomb, GOOD]);
    expect(textsOf(reading)).toEqual(['{"good":1}']);
    expect(reading.rejections.map(({ entry, code }) => [entry, code])).toEqual([
      ["bomb.json", "expansion-ratio"],
    ]);
  });

  it("stops the whole archive when many small bombs add up", async () => {
    const data = new Uint8Array(9 * MIB).fill(0x20);
    const reading = await readZip(["a", "b", "c", "d"].map((name) => ({ name, data })));
    expect(codesOf(reading)).toEqual(["empty-file", "expansion-ratio"]);
  });

  it("reads so many entries and no more", async () => {
    const reading = await readZip([GOOD, { ...GOOD, name: "b" }, { ...GOOD, name: "c" }], {
      maxZipEntries: 2,
    });
    expect([reading.records.length, codesOf(reading)]).toEqual([2, ["too-many-entries"]]);
  });

  it("rejects a zip that breaks off, once", async () => {
    const zip = zipOf([GOOD, { ...GOOD, name: "b.json" }]);
    expect(codesOf(await read(chunkedSource(zip.subarray(0, zip.length - 30))))).toEqual(["zip-corrupt"]);
  });

  it("shows a name that is not UTF-8 in the old encoding of zip", async () => {
    const reading = await readZip([{ name: Uint8Array.of(0x81, 0x2e, 0x6a), data: "{}", flags: 0 }]);
    expect(reading.records.map((record) => record.entry)).toEqual(["ü.j"]);
  });

  it("rejects an archive without a single log", async () => {
    const reading = await read(chunkedSource(zipOf([{ name: "__MACOSX/._a.json", data: "{}" }])));
    expect(reading.records).toEqual([]);
    expect(reading.items.map((item) => item.kind === "rejected" && item.rejection.code)).toEqual([
      "empty-archive",
    ]);
  });

  it("never throws on a damaged zip", async () => {
    const zip = zipOf([
      { name: "a.json", data: '{"a":1}' },
      { name: "b.jsonl", data: '{"b":1}\n{"b":2}\n', method: 0 },
      { name: "c.zip", data: zipOf([GOOD]), method: 0 },
    ]);
    const edits = fc.array(fc.tuple(fc.nat({ max: zip.length - 1 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(edits, fc.integer({ min: 4, max: 2 * zip.length }), async (changes, length) => {
        const damaged = zip.slice(0, length);
        for (const [at, byte] of changes) damaged[at % damaged.length] = byte;
        expect((await read(chunkedSource(damaged))).items.length).toBeGreaterThan(0);
      }),
      {
        numRuns: 1500,
        // The end record says that there are no entries: neither a record nor a fault came of it once.
        examples: [[[[427, 0]], 439]],
      },
    );
  });
});
