import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AttemptPair, marginOf } from "../../shared/preferences/attempt.ts";
import { LengthTally, LongerShareLimit, lengthOrder } from "../../shared/preferences/length.ts";
import { makeAttempt } from "./factories.ts";

const pairArbitrary: fc.Arbitrary<AttemptPair> = fc
  .record({
    chosen: fc.option(fc.integer({ min: 1, max: 5 }), { freq: 8 }),
    rejected: fc.integer({ min: 1, max: 5 }),
    margin: fc.constantFrom(0.1, 0.2, 0.3, 0.4),
    source: fc.constantFrom("reward" as const, "reward" as const, "votes" as const),
  })
  .map(({ chosen, rejected, margin, source }) => ({
    chosen: makeAttempt("c", margin, { steps: chosen }),
    rejected: makeAttempt("r", 0, { steps: rejected }),
    source,
  }));

function limited(pairs: readonly AttemptPair[], share: number): readonly AttemptPair[] {
  const limit = new LongerShareLimit(share);
  for (const pair of pairs) limit.note(pair);
  return pairs.filter((pair) => limit.admits(pair));
}

function countsOf(pairs: readonly AttemptPair[]): LengthTally["counts"] {
  const tally = new LengthTally();
  for (const pair of pairs) tally.add(pair);
  return tally.counts;
}

describe("the bound on the share of longer chosen attempts", () => {
  const made = (steps: number, margin: number): AttemptPair => ({
    chosen: makeAttempt("c", margin, { steps }),
    rejected: makeAttempt("r", 0, { steps: 5 }),
    source: "reward",
  });

  it("drops the narrowest of the longer ones and nothing else", () => {
    const pairs = [made(9, 0.1), made(9, 0.5), made(9, 0.3), made(2, 0.2)];
    expect(limited(pairs, 0.5).map(marginOf)).toEqual([0.5, 0.2]);
    expect(limited(pairs, 1)).toHaveLength(4);
    expect(limited(pairs, 0).map(marginOf)).toEqual([0.2]);
  });

  it("takes the bound itself as allowed", () => {
    const pairs = [
      ...Array.from({ length: 8 }, () => made(9, 0.1)),
      ...Array.from({ length: 4 }, () => made(2, 0.1)),
    ];
    expect(countsOf(limited(pairs, 0.6))).toMatchObject({ longer: 6, shorter: 4 });
  });

  it("is kept, with as many pairs as it lets, and drops no pair for a narrower one", () => {
    fc.assert(
      fc.property(fc.array(pairArbitrary), fc.constantFrom(0, 0.3, 0.5, 0.6, 0.9), (pairs, share) => {
        const kept = limited(pairs, share);
        const [before, after] = [countsOf(pairs), countsOf(kept)];
        const others = after.shorter + after.equal;
        expect(after).toMatchObject({
          shorter: before.shorter,
          equal: before.equal,
          unknown: before.unknown,
        });
        expect(after.longer).toBeLessThanOrEqual(share * (others + after.longer) + 1e-6);
        if (after.longer < before.longer) {
          expect(after.longer + 1).toBeGreaterThan(share * (others + after.longer + 1));
        }
        const byReward = pairs.filter((pair) => lengthOrder(pair) === "longer" && pair.source === "reward");
        const dropped = byReward.filter((pair) => !kept.includes(pair)).map(marginOf);
        const stayed = byReward.filter((pair) => kept.includes(pair)).map(marginOf);
        expect(Math.max(0, ...dropped)).toBeLessThanOrEqual(Math.min(1, ...stayed));
      }),
    );
  });
});
