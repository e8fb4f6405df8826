import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withUtf8 } from "../../shared/stages/utf8-pieces.ts";

const copyOf = (pieces: readonly string[]): Buffer => withUtf8(pieces, (bytes) => Buffer.from(bytes));

describe("texts written in pieces", () => {
  it("give the bytes of the whole text, call after call", () => {
    const piece = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }));
    fc.assert(
      fc.property(fc.array(fc.array(piece, { maxLength: 20 }), { maxLength: 4 }), (texts) => {
        for (const pieces of texts) expect(copyOf(pieces)).toEqual(Buffer.from(pieces.join("")));
      }),
    );
  });

  it("may be longer than the memory that is kept", () => {
    const pieces = ["a".repeat(300_000), "漢".repeat(1_500_000), "é".repeat(900_000), "end"];
    expect(copyOf(pieces).equals(Buffer.from(pieces.join("")))).toBe(true);
    expect(copyOf(["short"]).toString()).toBe("short");
  });
});
