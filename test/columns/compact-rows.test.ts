import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CompactRows } from "../../shared/columns/compact-rows.ts";
import { DigestSet } from "../../shared/columns/digest-set.ts";

const SHAPE = {
  id: "digest",
  content: "digestOrNull",
  task: "text",
  scorer: "textOrNull",
  steps: "number",
  reward: "numberOrNull",
  success: "booleanOrNull",
} as const;

const digest = fc.nat(400).map((n) => createHash("sha256").update(String(n)).digest("hex"));
/** What looks like a digest, but would not come back from its bytes as it was. */
const odd = fc.oneof(
  fc.string({ maxLength: 70 }),
  digest.map((hex) => hex.toUpperCase()),
  fc.constant("g".repeat(64)),
);
const id = fc.oneof({ weight: 4, arbitrary: digest }, odd);
const orNull = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null });

const row = fc.record({
  id,
  content: orNull(id.filter((text) => text !== "\u0000")),
  task: fc.oneof(fc.constantFrom("a", "b", "B", "é", ""), fc.string()),
  scorer: orNull(fc.constantFrom("one", "two")),
  steps: fc.nat(),
  reward: orNull(fc.double({ noNaN: true })),
  success: orNull(fc.boolean()),
});

describe("CompactRows", () => {
  it("gives back every row as it was pushed, in order", () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), (pushed) => {
        const rows = new CompactRows(SHAPE);
        for (const each of pushed) rows.push(each);
        expect(rows.length).toBe(pushed.length);
        expect([...rows]).toEqual(pushed);
        // A walk may be repeated.
        expect([...rows]).toEqual(pushed);
      }),
    );
  });

  it("groups rows by a text as sorting and grouping a list does", () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), (pushed) => {
        const rows = new CompactRows(SHAPE);
        for (const each of pushed) rows.push(each);
        const groups = rows.grouped("task");
        const made = Array.from({ length: groups.length }, (_, place) => {
          const { text, rows: indices } = groups.at(place);
          return [text, [...indices].map((index) => rows.at(index))] as const;
        });
        const expected = [...Map.groupBy(pushed, ({ task }) => task)].sort(([a], [b]) => (a < b ? -1 : 1));
        expect(made).toEqual(expected);
      }),
    );
  });

  it("refuses to group by what is no text", () => {
    expect(() => new CompactRows(SHAPE).grouped("reward")).toThrow("rows cannot be grouped by reward");
  });

  it("holds more rows than one chunk of each column", () => {
    const rows = new CompactRows(SHAPE);
    const make = (n: number) => ({
      id: createHash("sha256").update(String(n)).digest("hex"),
      content: n % 3 === 0 ? null : `content ${n}`,
      task: `task ${n % 7}`,
      scorer: n % 2 === 0 ? null : "one",
      steps: n,
      reward: n % 5 === 0 ? null : n / 3,
      success: n % 4 === 0 ? null : n % 4 === 1,
    });
    const count = 40_000;
    for (let n = 0; n < count; n += 1) rows.push(make(n));
    for (const n of [0, 4095, 4096, 16_383, 16_384, 32_768, count - 1]) expect(rows.at(n)).toEqual(make(n));
    const sizes = Array.from({ length: 7 }, (_, place) => rows.grouped("task").at(place).rows.length);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(count);
  });
});

describe("DigestSet", () => {
  it("holds what a set holds, whatever the texts", () => {
    fc.assert(
      fc.property(fc.array(id, { maxLength: 800 }), fc.array(id, { maxLength: 50 }), (added, asked) => {
        const [digests, set] = [new DigestSet(), new Set<string>()];
        for (const text of added) {
          expect(digests.add(text)).toBe(!set.has(text));
          set.add(text);
        }
        expect(digests.size).toBe(set.size);
        for (const text of [...added, ...asked]) expect(digests.has(text)).toBe(set.has(text));
      }),
    );
  });

  it("grows past its first slots", () => {
    const digests = new DigestSet();
    const texts = Array.from({ length: 5000 }, (_, n) => createHash("sha256").update(`${n}`).digest("hex"));
    expect(texts.every((text) => digests.add(text))).toBe(true);
    expect(texts.every((text) => digests.has(text) && !digests.add(text))).toBe(true);
    expect(digests.size).toBe(5000);
    expect(digests.has(createHash("sha256").update("another").digest("hex"))).toBe(false);
  });
});
