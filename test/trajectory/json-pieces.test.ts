import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonPieces } from "../../shared/trajectory/json-pieces.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .tuple(fc.string({ unit: "binary" }), fc.nat(4))
    .map(([part, times]) => `${part}"\\\n`.repeat(times * 40)),
);

const { value: json } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "medium" },
    text,
    fc.double(),
    fc.boolean(),
    fc.constantFrom(null, undefined, -0),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.oneof(text, fc.constant("__proto__"), fc.nat(9).map(String)), tie("value"), {
      maxKeys: 4,
    }),
  ),
}));

describe("JSON in pieces", () => {
  it("is what JSON.stringify gives, to whatever depth and whoever wrote before", () => {
    fc.assert(
      fc.property(fc.array(json, { maxLength: 3 }), fc.nat(6), (values, depth) => {
        const owner = {};
        for (const value of [...values, ...values]) {
          const pieces = new JsonPieces(owner);
          pieces.value(value, depth);
          expect(pieces.take().join("")).toBe(JSON.stringify(value) ?? "null");
        }
      }),
    );
  });

  it("sets long texts apart and gives each piece once", () => {
    const long = "long ".repeat(100);
    const pieces = new JsonPieces({});
    pieces.value([1, long, "short"], 1);
    expect(pieces.take()).toEqual(["[1,", JSON.stringify(long), ',"short"]']);
    expect(pieces.take()).toEqual([""]);
  });
});
