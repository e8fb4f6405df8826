import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backOffMs } from "../../../shared/adapters/http/back-off.ts";

const LIMITS = { baseDelayMs: 500, longestDelayMs: 60_000 };
const limits = fc.record({
  baseDelayMs: fc.integer({ min: 1, max: 10_000 }),
  longestDelayMs: fc.integer({ min: 1, max: 600_000 }),
});
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const failures = fc.integer({ min: 1, max: 2000 });

describe("the wait before another try", () => {
  it("is a random part of a time that doubles up to its longest", () => {
    const at = (count: number) => backOffMs(LIMITS, { failures: count, retryAfterMs: null, random: 0.5 });
    expect([1, 2, 3, 4, 8, 100].map(at)).toEqual([250, 500, 1000, 2000, 30_000, 30_000]);
  });

  it("stays between nothing and its bound, whatever the failures, and grows with chance alone", () => {
    fc.assert(
      fc.property(limits, failures, random, random, (bounds, count, one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        const bound = Math.min(bounds.longestDelayMs, bounds.baseDelayMs * 2 ** (count - 1));
        const short = backOffMs(bounds, { failures: count, retryAfterMs: null, random: low });
        const long = backOffMs(bounds, { failures: count, retryAfterMs: null, random: high });
        expect(short).toBeGreaterThanOrEqual(0);
        expect(long).toBeGreaterThanOrEqual(short);
        expect(long).toBeLessThanOrEqual(bound);
      }),
    );
  });

  it("is never shorter than what the provider asks for, and by no more than the base delay longer", () => {
    fc.assert(
      fc.property(
        limits,
        failures,
        random,
        fc.integer({ min: 0, max: 1e9 }),
        (bounds, count, chance, asked) => {
          const wait = backOffMs(bounds, { failures: count, retryAfterMs: asked, random: chance });
          expect(wait).toBeGreaterThanOrEqual(asked);
          expect(wait).toBeLessThanOrEqual(asked + bounds.baseDelayMs);
        },
      ),
    );
  });
});
