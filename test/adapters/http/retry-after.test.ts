import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { retryAfterMs } from "../../../shared/adapters/http/retry-after.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const of = (headers: Record<string, string>) => retryAfterMs(new Headers(headers), NOW);

describe("what a provider asks to wait", () => {
  it.each([
    ["seconds", { "retry-after": "7" }, 7000],
    ["parts of a second", { "retry-after": "0.25" }, 250],
    ["nothing to wait", { "retry-after": "0" }, 0],
    ["a date", { "retry-after": "Fri, 02 Jan 2026 03:04:35 GMT" }, 30_000],
    ["a date that has passed", { "retry-after": "Fri, 02 Jan 2026 03:00:00 GMT" }, 0],
    ["milliseconds, which go first", { "retry-after-ms": "120", "retry-after": "7" }, 120],
    ["seconds, where the milliseconds are none", { "retry-after-ms": "soon", "retry-after": "7" }, 7000],
    ["no header", {}, null],
    ["a negative number", { "retry-after": "-5" }, null],
    ["words", { "retry-after": "in a while" }, null],
    ["an endless number", { "retry-after": "Infinity" }, null],
  ])("is read from %s", (_, headers, expected) => {
    expect(of(headers)).toBe(expected);
  });

  it("is never negative and never NaN, whatever the header says", () => {
    const value = fc.oneof(
      fc.string({ unit: "grapheme-ascii" }),
      fc.double().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    );
    fc.assert(
      fc.property(value, (text) => {
        const wait = of({ "retry-after": text });
        expect(wait === null || (wait >= 0 && Number.isFinite(wait))).toBe(true);
      }),
    );
  });
});
