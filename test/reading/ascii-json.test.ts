import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asciiJson } from "../../shared/reading/ascii-json.ts";

const filler = "x".repeat(2000);

function ascii(text: string, offset = 0): string | undefined {
  const memory = new Uint8Array(offset + Buffer.byteLength(text));
  memory.set(Buffer.from(text), offset);
  return asciiJson(memory.subarray(offset));
}

describe("JSON in ASCII", () => {
  it("means what it meant", () => {
    const json = fc.json({ stringUnit: "binary" }).filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(json, fc.nat(9), (text, offset) => {
        const whole = `[${JSON.stringify(filler)},${text}]`;
        const result = ascii(whole, offset);
        if (result === undefined) return;
        expect(result).toMatch(/^[\0-\x7f]*$/);
        expect(JSON.parse(result)).toEqual(JSON.parse(whole));
      }),
    );
  });

  it.each([
    "\u00e9",
    "\u00ff",
    "\u2014",
    "\u2028",
    "\uffff",
    "\u{1f600}",
    "\u{10ffff}",
    "a\u{1f600}\u00e9\u2014b",
  ])("has %j as an escape", (character) => {
    const value = { [`${filler}${character}`]: character };
    const result = ascii(JSON.stringify(value));
    expect(result).toMatch(/^[\0-\x7f]+$/);
    expect(JSON.parse(result ?? "")).toEqual(value);
  });

  it("is not made where characters beyond ASCII are many", () => {
    expect(ascii(JSON.stringify("\u00e9".repeat(50)))).toBeUndefined();
  });

  it("does not turn what is no JSON into some", () => {
    for (const text of [
      `"${filler}\\\u00e9"`,
      `"${filler}" \u00e9`,
      `\u00e9"${filler}"`,
      `"${filler}" \u00a0`,
    ]) {
      expect(() => JSON.parse(text)).toThrow();
      expect(() => JSON.parse(ascii(text) ?? text)).toThrow();
    }
  });
});
