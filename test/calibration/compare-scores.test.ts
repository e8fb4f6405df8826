import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareScores } from "../../shared/calibration/compare-scores.ts";
import type { Estimate } from "../../shared/statistics/result.ts";
import { drawnRows, rowsOf } from "./rows.ts";

const options = { seed: 1, resamples: 100 } as const;

describe("comparing scores with people", () => {
  it("never gives NaN, whatever the rows are", () => {
    const value = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.5, 1));
    const row = fc.record({
      id: fc.constant("a"),
      group: fc.constantFrom(null, "x", "y"),
      score: value,
      human: value,
      success: fc.constantFrom(null, true, false),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 12 }), (rows) => {
        const comparison = compareScores(rows, options);
        const numbers: unknown[] = [];
        JSON.stringify(comparison, (_key, one: unknown) => {
          if (typeof one === "number") numbers.push(one);
          return one;
        });
        expect(numbers.every(Number.isFinite)).toBe(true);
        expect(comparison.n).toBe(rows.length);
      }),
      { numRuns: 60 },
    );
  });

  it("widens the intervals where rows share their group", () => {
    const shape = (score: number): number => score;
    const rows = drawnRows({ n: 80, seed: 6, shape, perGroup: 1, noise: 0.4 });
    // Every row four times over in its own group says no more than once.
    const repeated = rows.slice(0, 20).flatMap((row) => [row, row, row, row]);
    const width = (estimate: Estimate): number =>
      estimate.value === null || estimate.interval.low === null
        ? Number.NaN
        : estimate.interval.high - estimate.interval.low;
    const alone = repeated.map((row) => ({ ...row, group: null }));
    const [grouped, single] = [compareScores(repeated, options), compareScores(alone, options)];
    expect([grouped.groups, single.groups]).toEqual([20, 80]);
    for (const name of ["pearson", "mean_absolute_error"] as const) {
      expect(width(grouped[name])).toBeGreaterThan(1.4 * width(single[name]));
    }
  });

  it("leaves out what needs a scale of 0 to 1 where scores have another", () => {
    const comparison = compareScores(rowsOf([1, 5, 9, 4], [2, 4, 8, 5]), options);
    expect(comparison.unit).toBeNull();
    expect(comparison.pearson.value).toBeGreaterThan(0.9);
  });

  it("compares with whether the task was solved where people say so", () => {
    const rows = drawnRows({ n: 60, seed: 4, shape: (score) => score });
    const some = rows.map((row, index) => (index % 2 === 0 ? row : { ...row, success: null }));
    const comparison = compareScores(some, options);
    expect(comparison.success?.auc).toMatchObject({ n: 30 });
    expect(comparison.success?.auc.value).toBeGreaterThan(0.6);
    const won = rows.map((row) => ({ ...row, success: true }));
    expect(compareScores(won, options).success?.auc).toEqual({ value: null, n: 60, why: "one_class" });
    expect(compareScores(rowsOf([0.1, 0.2], [0.3, 0.4]), options).success).toBeNull();
  });

  it("does not count that a row drawn twice agrees with itself", () => {
    const scores = Array.from({ length: 10 }, (_, index) => index / 10);
    const turned = compareScores(rowsOf(scores, scores.toReversed()), options);
    expect(turned.agreement).toMatchObject({ value: 0, interval: { why: "no_variance" } });
  });
});
