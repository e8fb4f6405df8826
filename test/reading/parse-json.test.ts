import canonicalize from "canonicalize";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { findJsonFault } from "../../shared/reading/json-fault.ts";
import { parseRecord, RecordParseError } from "../../shared/reading/parse-json.ts";
import { limitsOf, utf8 } from "./sources.ts";

const limits = limitsOf();
const parse = (text: string) => parseRecord(utf8(text), limits);

function errorOf(bytes: Uint8Array | string, maxDepth = limits.maxDepth): RecordParseError {
  try {
    parseRecord(typeof bytes === "string" ? utf8(bytes) : bytes, { maxDepth });
  } catch (error) {
    if (error instanceof RecordParseError) return error;
    throw error;
  }
  throw new Error("it was parsed");
}

describe("parseRecord", () => {
  it("parses what JSON.parse parses, to the same value, without a note", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5, stringUnit: "grapheme" }), (text) => {
        expect(parse(text)).toEqual({ value: JSON.parse(text), notes: [] });
      }),
    );
  });

  it("refuses nesting over the limit before it parses, and allows nesting at it", () => {
    const nested = (depth: number) => `${'[{"a":'.repeat(depth / 2)}1${"}]".repeat(depth / 2)}`;
    expect(parse(nested(200)).notes).toEqual([]);
    expect(errorOf(nested(202))).toMatchObject({ code: "too-deep", line: 1 });
    expect(errorOf("[".repeat(5_000_000))).toMatchObject({ code: "too-deep", offset: 200 });
  });

  it("does not take brackets in strings for nesting", () => {
    const text = JSON.stringify({ a: '[{"\\'.repeat(1000) });
    expect(parseRecord(utf8(text), { maxDepth: 1 }).value).toEqual(JSON.parse(text));
  });

  it("makes numbers that are not finite null, outside strings only, and says how many", () => {
    const text =
      '{"a":NaN,"b":[Infinity,-Infinity],"c":1e999,"d":-1E+400,"NaN":"NaN, Infinity, 1e999","e":1e-999,"f":1e308}';
    expect(parse(text)).toEqual({
      value: { a: null, b: [null, null], c: null, d: null, NaN: "NaN, Infinity, 1e999", e: 0, f: 1e308 },
      notes: ["5 numbers that are not finite became null"],
    });
    expect(parse(`[${"9".repeat(400)},${"9".repeat(205)}e99,${"9".repeat(250)}e99]`).value).toEqual([
      null,
      1e304,
      null,
    ]);
  });

  it("leaves no number that is not finite in any value", () => {
    const digits = fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 1, maxLength: 320 });
    const exponent = fc.oneof(
      fc.constant(""),
      fc.integer({ min: -400, max: 400 }).map((power) => `e${power}`),
    );
    const number = fc.tuple(fc.constantFrom("", "-"), digits, exponent).map((parts) => parts.join(""));
    fc.assert(
      fc.property(number, (text) => {
        fc.pre(!/^-?0[0-9]/.test(text));
        const exact = Number(text);
        expect(parse(`[${text}]`).value).toEqual([Number.isFinite(exact) ? exact : null]);
      }),
      { numRuns: 500 },
    );
  });

  it("makes lone surrogate escapes U+FFFD and leaves pairs and escaped backslashes", () => {
    const text = String.raw`{"\ud83d":"\ud83d\ude00 \uDE00 \ud83d","b":"\\ud83d \\\ud83d","c":"\ud83d\ud83d\ude00"}`;
    expect(parse(text)).toEqual({
      value: { "\ufffd": "\u{1f600} \ufffd \ufffd", b: "\\ud83d \\\ufffd", c: "\ufffd\u{1f600}" },
      notes: ["5 lone surrogates became U+FFFD"],
    });
  });

  it("leaves the bytes of a record as they are where it mends what it reads from them", () => {
    const text = String.raw`{"a":"\ud83d"}`;
    const bytes = Buffer.from(text);
    expect(parseRecord(bytes, limits).notes).toEqual(["1 lone surrogates became U+FFFD"]);
    expect(bytes.toString()).toBe(text);
  });

  it("gives strings that are well-formed and values that can be written canonically", () => {
    const unit = fc.constantFrom("\ud83d", "\ude00", "\\", '"', "u", "d83d", "x", "\ue000");
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 12 }), (units) => {
        const raw = units.join("");
        const escaped = JSON.stringify({ [raw]: raw });
        const { value } = parse(escaped);
        expect(value).toEqual({ [raw.toWellFormed()]: raw.toWellFormed() });
        expect(() => canonicalize(value)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  it("keeps a __proto__ key an own property and touches no prototype", () => {
    const { value } = parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.hasOwn(value as object, "__proto__")).toBe(true);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  it("tells a record that breaks off from one that is wrong, with line, column and offset", () => {
    expect(errorOf('{"a": 1,\n "b": [tru')).toMatchObject({
      code: "unfinished-json",
      line: 2,
      column: 11,
      offset: 19,
    });
    expect(errorOf("{'a': 1}")).toMatchObject({ code: "invalid-json", line: 1, column: 2, offset: 1 });
    expect(errorOf('{"a": 1,\n "b": 2,}')).toMatchObject({ code: "invalid-json", line: 2, column: 9 });
    expect(errorOf(Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject({ code: "invalid-utf8" });
    expect(errorOf("")).toMatchObject({ code: "unfinished-json" });
  });

  it("quotes nothing of the record in its error", () => {
    const error = errorOf('{"password": hunter2}');
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain(
      "hunter2",
    );
  });

  it("throws only its own error, whatever the bytes are", () => {
    const text = fc.stringMatching(/^[[\]{},:"\\0-9.eE+\-truefalsNIinty \n]*$/);
    fc.assert(
      fc.property(fc.oneof(text.map(utf8), fc.uint8Array()), (bytes) => {
        try {
          parseRecord(bytes, limits);
        } catch (error) {
          expect(error).toBeInstanceOf(RecordParseError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("findJsonFault", () => {
  const broken = fc
    .tuple(
      fc.json({ maxDepth: 3 }),
      fc.nat(),
      fc.constantFrom("", "x", '"', ",", "]", "}", "\\", "-", "0", "1e", "tr", "\n", "\\u00"),
    )
    .map(([text, at, inserted]) => {
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + inserted + text.slice(cut + (at % 3));
    })
    .map((text) => Buffer.from(text, "utf8").toString("latin1"));

  it("finds a fault exactly where JSON.parse throws", () => {
    fc.assert(
      fc.property(broken, (text) => {
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        expect(findJsonFault(text) === undefined).toBe(valid);
      }),
      { numRuns: 3000 },
    );
  });

  it("calls every proper beginning of a document truncated", () => {
    const container = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()));
    fc.assert(
      fc.property(container, fc.nat(), (value, cut) => {
        const text = Buffer.from(JSON.stringify(value), "utf8").toString("latin1");
        const length = cut % text.length;
        expect(findJsonFault(text.slice(0, length))).toEqual({ kind: "truncated", offset: length });
      }),
      { numRuns: 1000 },
    );
  });
});
