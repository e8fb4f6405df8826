import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readArguments } from "../../shared/trajectory/arguments.ts";

describe("arguments of a tool call", () => {
  it("given as JSON text with half a character hold U+FFFD in its place, and the text itself beside", () => {
    const text = '{"a":"x\\ud83d","\\udc00k":[1]}';
    expect(readArguments(text)).toEqual({ parsed: { a: "x\ufffd", "\ufffdk": [1] }, raw: text });
  });

  it("keep whole characters and backslashes that only look like half of one", () => {
    expect(readArguments('{"a":"C:\\\\udata\\\\ud83d"}')).toEqual({ parsed: { a: "C:\\udata\\ud83d" } });
    expect(readArguments('{"a":"\\ud83d\\ude00"}').parsed).toEqual({ a: "\u{1F600}" });
  });

  it("hold well-formed strings only, whatever the text", () => {
    const texts = fc
      .array(fc.constantFrom("\\ud83d", "\\ude00", "\\\\", "u", "d83d", "x", "\u00e9"))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(texts, texts, (key, value) => {
        const { parsed } = readArguments(`{"${key}":"${value}"}`);
        for (const [name, text] of Object.entries(parsed)) {
          expect(name.isWellFormed() && String(text).isWellFormed()).toBe(true);
        }
      }),
    );
  });
});
