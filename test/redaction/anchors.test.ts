import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findAnchors } from "../../shared/redaction/anchors.ts";

/** Anchors as plain lists, moved back by `shift`; the scanner reuses its own. */
const found = (text: string, shift = 0): Readonly<Record<string, readonly number[]>> =>
  Object.fromEntries(
    Object.entries(findAnchors(text) ?? {})
      .filter(([, list]) => list.length > 0)
      .map(([name, list]: [string, readonly number[]]) => [name, list.map((index) => index - shift)]),
  );

const piece = fc.constantFrom(
  ...["password", "api_key", "=", ":", ">", " ", '"', "\\", "x", "\n", "密码", "：", "é", "丰"],
  ...["ghp_", "sk-", "dapi", "AKIA", "SG.", "eyJ", "Bearer ", "basic ", "--token", " -p", "-----BEGIN"],
  ...["10.0", "4111 1111", "12345678901", "DE89", "fe80:", "::1", "://", "a@b", "+1", "%20", "\u001b["],
);
const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));

describe("anchors", () => {
  it("are the same wherever in a long text they stand", () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 65_480, max: 65_540 }), (tail, offset) => {
        expect(found(" ".repeat(offset) + tail, offset)).toEqual(found(` ${tail}`, 1));
      }),
      { numRuns: 200 },
    );
  });

  it("do not depend on whether characters beyond Latin-1 stand elsewhere in the text", () => {
    fc.assert(
      fc.property(text, (start) => {
        expect(found(`${start}      日`)).toEqual(found(`${start}      ~`));
      }),
    );
  });

  it.each([
    ["assignment", "password=", 8],
    ["assignment", 'x "api_key" :', 12],
    ["assignment", "密码：", 2],
    ["tokenPrefix", "dapi", 3],
    ["tokenPrefix", "ghp_", 3],
    ["jwt", "eyJ", 0],
    ["ipv4", "10.0", 0],
    ["iban", "DE89", 0],
    ["ipv6", "fd12:", 0],
    ["authScheme", "Bearer x", 0],
    ["at", "a@b", 1],
  ])("%s: %j has one at %i", (name, source, index) => {
    expect(found(source)).toEqual({ [name]: [index] });
  });

  it.each(["", "x = 1", "class: y", "a.b.c", "result === other", "snake_case", "kebab-case", "v12"])(
    "%j has none",
    (source) => {
      expect(findAnchors(source)).toBeUndefined();
    },
  );
});
