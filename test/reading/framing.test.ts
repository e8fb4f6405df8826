import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { memorySource } from "../../shared/reading/byte-streams.ts";
import { parseRecord } from "../../shared/reading/parse-json.ts";
import { parseValues } from "../../shared/reading/parse-values.ts";
import { chunkedSource, codesOf, concat, FRAMER, limitsOf, read, textOf, textsOf, utf8 } from "./sources.ts";

const key = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("role_", 'q"', "b\\", "{", "]", "__proto__"),
);
const container = fc.letrec<{ json: unknown; container: unknown }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(null, true, false, 0, -1.5e-7, "", "a\nb", '\\"', "[{,:}]", "é\u{1f600}"),
    fc.string({ unit: "grapheme" }),
    fc.integer(),
    tie("container"),
  ),
  container: fc.oneof(
    fc.dictionary(key, tie("json"), { maxKeys: 4 }),
    fc.array(tie("json"), { maxLength: 4 }),
  ),
})).container;

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 });
const records = { isPart: () => false };
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("readRecords on text", () => {
  it.each([
    ["lines", '{"a":1}\n{"a":2}\n'],
    ["an array", '[{"a":1},{"a":2}]'],
  ])("gives records of %s memory of their own, whatever kind of array the chunk is", async (_, text) => {
    const chunk = Buffer.from(text);
    const found = await read(memorySource("log", chunk), { framer: records });
    expect(textsOf(found)).toEqual(['{"a":1}', '{"a":2}']);
    for (const { bytes } of found.records) expect(bytes.buffer).not.toBe(chunk.buffer);
  });

  it("gives back the values of any list, as lines, array or documents, however the bytes are chunked", async () => {
    const styles = {
      lines: (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).join("\n"),
      crlf: (values: readonly unknown[]) =>
        `\ufeff${values.map((value) => `${JSON.stringify(value)}\r\n\r\n`).join("")}`,
      array: (values: readonly unknown[]) => JSON.stringify(values),
      prettyArray: (values: readonly unknown[]) => `\n ${JSON.stringify(values, null, 2)}\n`,
      documents: (values: readonly unknown[]) =>
        values.map((value) => JSON.stringify(value, null, 1)).join("\n"),
      glued: (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).join(""),
    };
    const style = fc.constantFrom(...Object.values(styles));
    await fc.assert(
      fc.asyncProperty(
        fc.array(container, { minLength: 2, maxLength: 6 }),
        style,
        sizes,
        async (values, write, cut) => {
          // The first value tells that documents span lines, or share one; an opening `[` would be an array.
          const list =
            write === styles.documents || write === styles.glued ? [{ first: 1 }, ...values] : values;
          const reading = await read(chunkedSource(write(list), { sizes: cut }), { framer: records });
          expect(reading.rejections).toEqual([]);
          expect(reading.records.map((record) => parseRecord(record.bytes, limitsOf()).value)).toEqual(
            list.map(plain),
          );
          expect(reading.records.map((record) => record.index)).toEqual(list.map((_, index) => index));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("gives the same items for the same bytes, valid or not, however they are chunked", async () => {
    const fragment = fc.constantFrom(
      '{"a":1}',
      "[",
      "]",
      "{",
      "}",
      ",",
      '"',
      "\\",
      "\n",
      " ",
      "\r",
      "x",
      '{"role":"u"}',
      "[1]",
      "\ufeff",
      "\0",
      "é",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fragment, { maxLength: 30 }), sizes, async (fragments, cut) => {
        const text = fragments.join("");
        const whole = await read(chunkedSource(text));
        expect(await read(chunkedSource(text, { sizes: cut }))).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });

  it("takes a lone object for one document and leaves the space around it out", async () => {
    const pretty = await read(chunkedSource('\ufeff \n{\n  "a": [1, 2]\n}\n\n'));
    expect(pretty.records).toEqual([
      { source: "drop/log", index: 0, line: 2, bytes: utf8('{\n  "a": [1, 2]\n}'), framing: "document" },
    ]);
    const oneLine = await read(chunkedSource('{"role":"user"}\n'));
    expect(oneLine.records.map((record) => record.framing)).toEqual(["document"]);
  });

  it("keeps lines that are parts of one trajectory together, byte for byte", async () => {
    const text = '{"event":1}\n\n{"event":2}\r\n{"event":3}\n{"other":4}';
    const reading = await read(chunkedSource(`\r\n\n${text}\n\n`));
    expect(reading.records).toEqual([
      { source: "drop/log", index: 0, line: 3, bytes: utf8(text), framing: "lines" },
    ]);
  });

  it("keeps an array of messages together as one document", async () => {
    const text = '[\n  {"role":"user"},\n  {"role":"assistant"}\n]';
    const reading = await read(chunkedSource(`${text}\n`));
    expect(reading.records.map((record) => [record.framing, textOf(record)])).toEqual([["document", text]]);
  });

  it("makes rows of values when one of the first three is no part", async () => {
    const reading = await read(chunkedSource('{"event":1}\n{"event":2}\n{"row":3}\n{"event":4}\n'));
    expect(reading.records.map((record) => [record.framing, record.line])).toEqual([
      ["row", 1],
      ["row", 2],
      ["row", 3],
      ["row", 4],
    ]);
  });

  it("asks the framer about no more than three values, and about none of a lone one", async () => {
    const asked: unknown[] = [];
    const framer = {
      isPart: (value: unknown) => {
        asked.push(value);
        return true;
      },
    };
    await read(chunkedSource('{"n":1}\n'.repeat(50)), { framer });
    expect(asked).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }]);
    asked.length = 0;
    await read(chunkedSource('{"n":1}\n'), { framer });
    expect(asked).toEqual([]);
  });

  it("names the place of each element of an array", async () => {
    const reading = await read(chunkedSource('[{"a":1},\n {"b":[2]}\n, {"c":3}]'));
    expect(reading.records.map(({ jsonPath, line, index }) => ({ jsonPath, line, index }))).toEqual([
      { jsonPath: "$[0]", line: 1, index: 0 },
      { jsonPath: "$[1]", line: 2, index: 1 },
      { jsonPath: "$[2]", line: 3, index: 2 },
    ]);
    expect(textsOf(reading)).toEqual(['{"a":1}', '{"b":[2]}', '{"c":3}']);
  });

  it("reads lines that are arrays as lines when there are several, and as one array when there is one", async () => {
    const lines = await read(chunkedSource('[{"role":"user"}]\n[{"role":"user"},{"role":"assistant"}]\n'));
    expect(textsOf(lines)).toEqual(['[{"role":"user"}]', '[{"role":"user"},{"role":"assistant"}]']);
    const one = await read(chunkedSource('[{"role":"user"}]\n\n'));
    expect(one.records.map((record) => record.framing)).toEqual(["document"]);
  });

  it("reads on after a document that was cut short", async () => {
    const reading = await read(
      chunkedSource('{\n "a": {\n  "b": "cut\n{\n "c": 1\n}\n{\n "d": [\n  2\n{\n "e": 3\n}\n'),
    );
    expect(textsOf(reading)).toEqual(['{\n "c": 1\n}', '{\n "e": 3\n}']);
    expect(reading.rejections.map(({ code, line }) => [code, line])).toEqual([
      ["unfinished-json", 1],
      ["unfinished-json", 7],
    ]);
  });

  it("accepts objects written at column one inside an array of a document", async () => {
    const text = '{\n"a": [\n{\n"b": 1\n},\n{\n"b": 2\n}\n]\n}';
    expect(textsOf(await read(chunkedSource(text, { sizes: [3] })))).toEqual([text]);
  });

  it("hands out bytes that share no memory with the chunk they came in", async () => {
    const reading = await read(chunkedSource('{"a":1}\n{"b":2}\n'));
    expect(reading.records.map((record) => record.bytes.buffer.byteLength)).toEqual([7, 7]);
  });
});

describe("parseValues", () => {
  it("gives back the values of a record framed as lines", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(container, { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        async (values, pretty) => {
          const events = [{ event: 0 }, { event: 1 }, { event: 2 }, ...values];
          const text = events.map((value) => JSON.stringify(value, null, pretty ? 2 : 0)).join("\n");
          const [record] = (await read(chunkedSource(text), { framer: FRAMER })).records;
          expect(record?.framing).toBe("lines");
          const parsed = parseValues(record?.bytes ?? new Uint8Array(0), limitsOf());
          expect(parsed.map((item) => (item.kind === "value" ? item.value : item.fault))).toEqual(
            events.map(plain),
          );
        },
      ),
    );
  });

  it("reports a broken line in its place and keeps the others", () => {
    const bytes = concat(
      utf8('{"event":1}\n{"event":\n'),
      Uint8Array.of(0x7b, 0xff, 0x7d),
      utf8('\n{"event":4}\n{"ev'),
    );
    const parsed = parseValues(bytes, limitsOf());
    expect(parsed.map((item) => [item.line, item.kind === "value" ? item.value : item.fault.code])).toEqual([
      [1, { event: 1 }],
      [2, "unfinished-json"],
      [3, "invalid-utf8"],
      [4, { event: 4 }],
      [5, "unfinished-json"],
    ]);
  });
});

describe("readRecords on an empty list", () => {
  it("says that an empty file, blank file or empty array holds nothing", async () => {
    expect(codesOf(await read(chunkedSource("")))).toEqual(["empty-file"]);
    expect(codesOf(await read(chunkedSource("\ufeff \r\n\t\n")))).toEqual(["empty-file"]);
    expect(codesOf(await read(chunkedSource(" [ ] ")))).toEqual(["no-records"]);
  });
});
