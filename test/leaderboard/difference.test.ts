import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { differenceOf } from "../../shared/leaderboard/difference.ts";
import { holmAdjusted } from "../../shared/statistics/holm.ts";
import { makeRuns } from "./factories.ts";

const options = { seed: 7, resamples: 400 };

describe("the difference of two groups", () => {
  it("is found task by task where they share tasks, though tasks differ far more than groups", () => {
    const [a, b] = [makeRuns({ tasks: 20, seed: 1, lift: 0.05 }), makeRuns({ tasks: 20, seed: 2 })];
    const difference = differenceOf(a, b, options);
    expect(difference).toMatchObject({ kind: "paired", shared: 20, runs: [60, 60] });
    expect(difference?.test.p).toBeLessThan(0.05);
    const apart = makeRuns({ tasks: 20, seed: 2, prefix: "other" });
    const unpaired = differenceOf(a, apart, options);
    expect(unpaired).toMatchObject({ kind: "unpaired", shared: 0, tasks: [20, 20] });
    expect(unpaired?.test.p).toBeGreaterThan(0.05);
    expect((unpaired?.interval.low ?? 0) < 0.05 && (unpaired?.interval.high ?? 0) > 0.05).toBe(true);
  });

  it("pairs on a few of many tasks only where that is asked for", () => {
    const a = makeRuns({ tasks: 20, seed: 1 });
    const b = [...makeRuns({ tasks: 3, seed: 2 }), ...makeRuns({ tasks: 20, seed: 3, prefix: "other" })];
    expect(differenceOf(a, b, options)?.kind).toBe("unpaired");
    expect(differenceOf(a, b, { ...options, pairing: "where-shared" })).toMatchObject({
      kind: "paired",
      shared: 3,
      interval: { low: null, why: "too_few" },
    });
  });

  it("takes tasks, not runs, for what varies: a hundred runs at two tasks prove nothing", () => {
    const at = (task: string, value: number): { task: string; value: number }[] =>
      Array.from({ length: 50 }, () => ({ task, value }));
    const a = [...at("1", 0.9), ...at("2", 0.8)];
    const b = [...at("3", 0.2), ...at("4", 0.1)];
    expect(differenceOf(a, b, options)?.test.p).toBeGreaterThan(0.05);
  });

  it("says nothing of a group without runs, and has no test for one task against another", () => {
    expect(differenceOf([], makeRuns({ tasks: 3, seed: 1 }), options)).toBeNull();
    const lone = differenceOf(
      makeRuns({ tasks: 1, seed: 1 }),
      makeRuns({ tasks: 1, seed: 2, prefix: "other" }),
      options,
    );
    expect(lone?.test).toMatchObject({ p: null, why: "too_few" });
  });

  const groups = fc.array(
    fc.record({
      task: fc.constantFrom("a", "b", "c", "d", "e", "f"),
      value: fc.constantFrom(0, 0.25, 0.5, 1),
    }),
    { minLength: 1, maxLength: 12 },
  );

  it("changes sign with the order of the groups, and not with the order of the runs", () => {
    fc.assert(
      fc.property(groups, groups, fc.constantFrom("where-shared", "where-most-shared"), (a, b, pairing) => {
        const given = { seed: 1, resamples: 100, pairing };
        const difference = differenceOf(a, b, given);
        expect(differenceOf(b, a, given)?.value).toBeCloseTo(-(difference?.value ?? 0), 12);
        expect(differenceOf(a.toReversed(), b.toReversed(), given)).toEqual(difference);
        const p = difference?.test.p ?? 1;
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThanOrEqual(1);
      }),
      { numRuns: 30 },
    );
  });
});

describe("Holm's adjustment", () => {
  it("gives the values of the method's definition", () => {
    expect(holmAdjusted([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(holmAdjusted([0.2, null, 0.4])).toEqual([0.4, null, 0.4]);
    expect(holmAdjusted([])).toEqual([]);
  });

  it("lies between the value and Bonferroni's, keeps the order and rejects as step-down does", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }), (values) => {
        const adjusted = holmAdjusted(values).map((p) => p ?? Number.NaN);
        const n = values.length;
        for (const [i, p] of values.entries()) {
          expect(adjusted[i]).toBeGreaterThanOrEqual(p);
          expect(adjusted[i]).toBeLessThanOrEqual(Math.min(1, p * n));
          for (const [j, q] of values.entries())
            if (p < q) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j] ?? 0);
        }
        const sorted = values.toSorted((a, b) => a - b);
        const stop = sorted.findIndex((p, rank) => p * (n - rank) > 0.05);
        const rejected = stop < 0 ? n : stop;
        expect(adjusted.filter((p) => p <= 0.05)).toHaveLength(rejected);
      }),
    );
  });
});
