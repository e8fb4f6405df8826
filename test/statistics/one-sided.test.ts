import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bettingGreater } from "../../shared/statistics/betting-greater.ts";
import { StatisticsInputError } from "../../shared/statistics/inputs.ts";
import { createRandom } from "../../shared/statistics/random.ts";
import { signFlipGreater } from "../../shared/statistics/sign-flip-greater.ts";

const options = { seed: 3 };
const unit = { mean: 0.5, low: 0, high: 1 };

describe("the one-sided sign-flip test", () => {
  it("is McNemar's exact one-sided test where differences are -1, 0 and 1", () => {
    // 9 of 10 discordant pairs: (1 + 10) / 2^10, as scipy.stats.binomtest(9, 10, alternative="greater") says.
    const differences = [1, 1, 1, 1, 1, 1, 1, 1, 1, -1, 0, 0];
    expect(signFlipGreater(differences, options)).toMatchObject({ method: "exact", p: 11 / 1024 });
  });

  it("comes near the exact value by random patterns", () => {
    // 25 of 30: scipy.stats.binomtest(25, 30, alternative="greater").pvalue is 0.000162.
    const differences = Array.from({ length: 30 }, (_, index) => (index < 20 ? 1 : -1));
    // 20 of 30: 0.04937.
    const result = signFlipGreater(differences, { seed: 1, draws: 100_000 });
    expect(result.p).toBeCloseTo(0.04937, 2);
  });

  it("gives no p-value without differences, and p = 1 where none differs", () => {
    expect(signFlipGreater([], options)).toEqual({ p: null, n: 0, why: "too_few" });
    expect(signFlipGreater([0, 0, 0], options).p).toBe(1);
    expect(() => signFlipGreater([Number.NaN], options)).toThrow(StatisticsInputError);
  });

  it("never gives a higher p where a difference grows", () => {
    const lists = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 1, maxLength: 24 });
    fc.assert(
      fc.property(lists, fc.nat(), fc.double({ min: 0, max: 3, noNaN: true }), (list, at, by) => {
        const grown = list.map((each, index) => (index === at % list.length ? each + by : each));
        const [before, after] = [list, grown].map((each) => signFlipGreater(each, { seed: 2, draws: 500 }).p);
        expect(after ?? 1).toBeLessThanOrEqual(before ?? 1);
      }),
    );
  });

  it("lets no rounding make a pattern miss the observed sum", () => {
    // 0.1 + 0.2 - 0.3 is 5.6e-17 in doubles. Reached: nothing turned, all three, and 0.3 alone or with one of the two.
    expect(signFlipGreater([0.1, 0.2, -0.3], options).p).toBe(5 / 8);
  });
});

describe("the test by betting", () => {
  it("is as sharp as can be where nothing went wrong: (1 - rate)^n but for the spread over stakes", () => {
    const p = bettingGreater(Array(20).fill(1), unit).p ?? 1;
    expect(p).toBeGreaterThan(0.5 ** 20);
    expect(p).toBeLessThan(40 * 0.5 ** 20);
  });

  it("is never far below α more often than α, whatever the distribution", () => {
    const random = createRandom(9);
    const runs = 1500;
    for (const rate of [0.02, 0.5, 0.98]) {
      let below = 0;
      for (let run = 0; run < runs; run += 1) {
        const values = Array.from({ length: 60 }, () => Number(random.float() < rate));
        if ((bettingGreater(values, { ...unit, mean: rate }).p ?? 1) <= 0.05) below += 1;
      }
      expect(below / runs).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs));
    }
  });

  it("never gives a higher p where a value grows, and stays within 0 and 1", () => {
    const values = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(values, fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (list, at, to) => {
        const grown = list.map((each, index) => (index === at % list.length ? Math.max(each, to) : each));
        const [before, after] = [list, grown].map((each) => bettingGreater(each, unit).p ?? Number.NaN);
        expect(after).toBeLessThanOrEqual((before ?? 1) + 1e-12);
        expect(before).toBeGreaterThanOrEqual(0);
        expect(before).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("refuses values outside the range", () => {
    expect(() => bettingGreater([1.2], unit)).toThrow(StatisticsInputError);
    expect(() => bettingGreater([0.5], { ...unit, mean: 1 })).toThrow(StatisticsInputError);
    expect(bettingGreater([], unit)).toEqual({ p: null, n: 0, why: "too_few" });
    expect(bettingGreater([0, 0], unit).p).toBe(1);
  });
});
