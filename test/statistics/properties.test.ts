import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { agreeingPairs, pairwiseAgreement } from "../../shared/statistics/agreement.ts";
import { aucOf } from "../../shared/statistics/auc.ts";
import { bootstrap } from "../../shared/statistics/bootstrap.ts";
import { brierScore } from "../../shared/statistics/brier.ts";
import { eceOf, expectedCalibrationError } from "../../shared/statistics/ece.ts";
import { StatisticsInputError } from "../../shared/statistics/inputs.ts";
import { kappa, kappaOf } from "../../shared/statistics/kappa.ts";
import { kendall } from "../../shared/statistics/kendall.ts";
import { krippendorffAlpha } from "../../shared/statistics/krippendorff-alpha.ts";
import { mean, meanOf } from "../../shared/statistics/mean.ts";
import { pairCounts } from "../../shared/statistics/pair-counts.ts";
import { pearson } from "../../shared/statistics/pearson.ts";
import { median, quantileOf } from "../../shared/statistics/quantile.ts";
import { createRandom } from "../../shared/statistics/random.ts";
import { averageRanks } from "../../shared/statistics/ranks.ts";
import { clusterUnits } from "../../shared/statistics/resampling.ts";
import type { Estimate } from "../../shared/statistics/result.ts";
import { signFlipTest } from "../../shared/statistics/sign-flip.ts";
import { spearman } from "../../shared/statistics/spearman.ts";
import { proportion } from "../../shared/statistics/wilson.ts";

/** Few distinct values, so that ties are common. */
const tied = fc.integer({ min: -3, max: 3 });
const unit = fc.double({ min: 0, max: 1, noNaN: true });

function pairsOf<T>(value: fc.Arbitrary<T>, maxLength = 30): fc.Arbitrary<readonly (readonly [T, T])[]> {
  return fc.array(fc.tuple(value, value), { maxLength });
}

function columns<T>(rows: readonly (readonly [T, T])[]): readonly [T[], T[]] {
  return [rows.map(([first]) => first), rows.map(([, second]) => second)];
}

function reasonOf(estimate: Estimate): string | null {
  return estimate.value === null ? estimate.why : null;
}

const options = { seed: 5, resamples: 200 } as const;

describe("statistics of pairs", () => {
  it("count pairs as looking at each of them does", () => {
    fc.assert(
      fc.property(pairsOf(tied), (rows) => {
        const [x, y] = columns(rows);
        const counts = pairCounts(x, y);
        const slow = { pairs: 0, concordant: 0, discordant: 0, tiedX: 0, tiedY: 0, tiedBoth: 0 };
        const perRow = x.map(() => 0);
        for (const [i, [xi, yi]] of rows.entries()) {
          for (const [j, [xj, yj]] of rows.entries()) {
            if (i === j) continue;
            const product = Math.sign(xi - xj) * Math.sign(yi - yj);
            const bothTied = xi === xj && yi === yj;
            if (product > 0 || bothTied) perRow[i] = (perRow[i] ?? 0) + 1;
            if (j < i) continue;
            slow.pairs += 1;
            slow.concordant += product > 0 ? 1 : 0;
            slow.discordant += product < 0 ? 1 : 0;
            slow.tiedX += xi === xj ? 1 : 0;
            slow.tiedY += yi === yj ? 1 : 0;
            slow.tiedBoth += bothTied ? 1 : 0;
          }
        }
        expect(counts).toEqual(slow);
        expect(agreeingPairs(x, y)).toEqual(perRow);
      }),
    );
  });

  it("lie in their range with the estimate inside the interval, or say why they are not defined", () => {
    fc.assert(
      fc.property(pairsOf(fc.oneof(tied, fc.double({ min: -1e9, max: 1e9, noNaN: true }))), (rows) => {
        const [x, y] = columns(rows);
        for (const [of, low] of [
          [pearson, -1],
          [spearman, -1],
          [kendall, -1],
          [pairwiseAgreement, 0],
        ] as const) {
          const result: Estimate = of(x, y);
          expect(result.n).toBe(rows.length);
          if (result.value === null) {
            const expected = rows.length < 2 ? "too_few" : "constant";
            expect(result.why).toBe(expected);
            continue;
          }
          expect(result.value).toBeGreaterThanOrEqual(low);
          expect(result.value).toBeLessThanOrEqual(1);
          if (result.interval.low === null) continue;
          expect(result.interval.low).toBeLessThanOrEqual(result.value + 1e-12);
          expect(result.interval.high).toBeGreaterThanOrEqual(result.value - 1e-12);
        }
      }),
    );
  });

  it("do not depend on the order of the rows, and turn their sign with one side", () => {
    fc.assert(
      fc.property(pairsOf(tied), fc.integer(), (rows, seed) => {
        const [x, y] = columns(rows);
        const [u, v] = columns(createRandom(seed).shuffled(rows));
        const turned = y.map((value) => -value);
        for (const of of [pearson, spearman, kendall]) {
          const [one, two, opposite] = [of(x, y).value, of(u, v).value, of(x, turned).value];
          expect(two === null).toBe(one === null);
          expect(two ?? 0).toBeCloseTo(one ?? 0, 12);
          expect(opposite ?? 0).toBeCloseTo(-(one ?? 0), 12);
        }
      }),
    );
  });

  it("of ranks do not change with any increasing transformation", () => {
    fc.assert(
      fc.property(pairsOf(tied), (rows) => {
        const [x, y] = columns(rows);
        const stretched = x.map((value) => Math.exp(value) * 100 - 7);
        for (const of of [spearman, kendall, pairwiseAgreement]) expect(of(stretched, y)).toEqual(of(x, y));
      }),
    );
  });

  it("of the same order correlate to exactly 1, without an interval that pretends to be certain", () => {
    const x = [1, 2, 4];
    for (const of of [spearman, kendall]) expect(of(x, [10, 20, 90])).toMatchObject({ value: 1 });
    expect(spearman([1, 2, 4, 5, 9], [1, 2, 3, 4, 5])).toMatchObject({
      interval: { low: null, why: "no_variance" },
      test: { p: 0 },
    });
    expect(spearman([1, 2], [1, 2])).toMatchObject({
      value: 1,
      interval: { why: "too_few" },
      test: { p: null, why: "too_few" },
    });
  });

  it("refuse columns of different lengths and values that are not finite, naming them", () => {
    expect(() => pearson([1, 2], [1])).toThrow(StatisticsInputError);
    expect(() => kendall([1, Number.NaN], [1, 2])).toThrow("x[1] is NaN");
    expect(() => brierScore([0.5, 1.2], [0, 1])).toThrow("predicted[1] is 1.2");
    expect(() => kappa({ a: [0, 3], b: [0, 1] }, { categories: 3, weights: "none" })).toThrow(
      "3 is no category",
    );
    expect(() => mean([1, 2], { level: 95 })).toThrow("0.95");
  });

  it("share the mean of their ranks where they are tied", () => {
    expect(averageRanks([5, 1, 5, 3, 5])).toEqual([4, 1, 4, 2, 4]);
  });
});

describe("statistics of classes and probabilities", () => {
  it("AUC is how often a positive stands above a negative", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(tied, fc.boolean()), { maxLength: 30 }), (rows) => {
        const up = rows.filter(([, positive]) => positive);
        const down = rows.filter(([, positive]) => !positive);
        const wins = up.flatMap(([a]) => down.map(([b]): number => (a > b ? 1 : a === b ? 0.5 : 0)));
        const actual = aucOf(
          rows.map(([score]) => score),
          rows.map(([, positive]) => positive),
        );
        if (wins.length === 0) expect(actual).toBeNull();
        else expect(actual).toBeCloseTo(meanOf(wins), 12);
      }),
    );
  });

  it("kappa is 1 for raters who agree and vary, at most 1 for others, the same for both orders of raters", () => {
    const category = fc.integer({ min: 0, max: 3 });
    const weights = fc.constantFrom("none", "linear", "quadratic");
    fc.assert(
      fc.property(pairsOf(category), weights, (rows, weighting) => {
        const [a, b] = columns(rows);
        const scale = { categories: 4, weights: weighting } as const;
        const [one, other, same] = [
          kappaOf({ a, b }, scale),
          kappaOf({ a: b, b: a }, scale),
          kappaOf({ a, b: a }, scale),
        ];
        expect(other ?? 9).toBeCloseTo(one ?? 9, 12);
        expect(one ?? 0).toBeLessThanOrEqual(1 + 1e-12);
        if (new Set(a).size > 1) expect(same).toBeCloseTo(1, 12);
        else expect(same).toBeNull();
      }),
    );
  });

  it("two categories have one kappa, however it is weighted", () => {
    fc.assert(
      fc.property(pairsOf(fc.integer({ min: 0, max: 1 })), (rows) => {
        const [a, b] = columns(rows);
        const values = (["none", "linear", "quadratic"] as const).map((weights) =>
          kappaOf({ a, b }, { categories: 2, weights }),
        );
        for (const value of values) expect(value ?? 9).toBeCloseTo(values[0] ?? 9, 10);
      }),
    );
  });

  it("the calibration error of predictions that are right is 0, and never above the mean absolute error", () => {
    const binning = fc.constantFrom("equal_width" as const, "equal_mass" as const);
    fc.assert(
      fc.property(pairsOf(unit), binning, (rows, kind) => {
        const [predicted, observed] = columns(rows);
        const bins = { binning: kind, bins: 5 };
        const error = eceOf({ predicted, observed }, bins);
        if (rows.length === 0) {
          expect(error).toBeNull();
          return;
        }
        const absolute = meanOf(rows.map(([p, o]) => Math.abs(p - o)));
        expect(error ?? 9).toBeLessThanOrEqual(absolute + 1e-12);
        expect(eceOf({ predicted, observed: predicted }, bins)).toBe(0);
      }),
    );
  });

  it("Wilson's interval holds the share and stays within 0 and 1", () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(60), (a, b) => {
        const result = proportion(Math.min(a, b), Math.max(a, b));
        if (result.value === null || result.interval.low === null) {
          expect(Math.max(a, b)).toBe(0);
          return;
        }
        const { low, high } = result.interval;
        expect(0 <= low && low <= result.value && result.value <= high && high <= 1).toBe(true);
      }),
    );
  });

  it("say why they are not defined", () => {
    expect(reasonOf(mean([]))).toBe("too_few");
    expect(mean([4])).toMatchObject({ value: 4, interval: { why: "too_few" } });
    expect(mean([0.1, 0.1, 0.1])).toMatchObject({ value: 0.1, interval: { why: "no_variance" } });
    expect(reasonOf(krippendorffAlpha([[0.5], [0.1]], options))).toBe("too_few");
    expect(reasonOf(krippendorffAlpha([[0.5, 0.5]], options))).toBe("constant");
    expect(reasonOf(kappa({ a: [1, 1], b: [1, 1] }, { categories: 2, weights: "none" }))).toBe("constant");
    expect(reasonOf(signFlipTest([], options))).toBe("too_few");
  });
});

describe("resampling", () => {
  it("gives the same interval for a seed and another one for another", () => {
    const values = Array.from({ length: 40 }, (_, index) => Math.sin(index * 7));
    const of = (seed: number): Estimate => median(values, { seed, resamples: 300 });
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
  });

  it("covers the true mean about as often as its level says", () => {
    const random = createRandom(11);
    const rounds = 300;
    let covered = 0;
    for (let round = 0; round < rounds; round += 1) {
      const values = Array.from({ length: 40 }, () => random.float());
      const statistic = (indices: readonly number[]): number =>
        meanOf(indices.map((index) => values[index] ?? 0));
      const { interval } = {
        interval: null,
        ...bootstrap({ n: 40, statistic }, { seed: round, resamples: 300 }),
      };
      if (interval?.low != null && interval.low <= 0.5 && 0.5 <= interval.high) covered += 1;
    }
    expect(covered / rounds).toBeGreaterThan(0.9);
    expect(covered / rounds).toBeLessThan(0.98);
  });

  it("draws clusters whole: rows that only repeat each other do not narrow the interval", () => {
    const base = Array.from({ length: 12 }, (_, index) => Math.cos(index * 5));
    const repeated = base.flatMap((value) => [value, value, value, value]);
    const clusters = repeated.map((_, index) => `task-${Math.floor(index / 4)}`);
    const width = (values: readonly number[], more: { readonly clusters?: readonly string[] }): number => {
      const statistic = (indices: readonly number[]): number =>
        meanOf(indices.map((index) => values[index] ?? 0));
      const result = bootstrap({ n: values.length, statistic }, { ...options, ...more });
      return result.value === null || result.interval.low === null
        ? Number.NaN
        : result.interval.high - result.interval.low;
    };
    expect(width(repeated, { clusters })).toBeCloseTo(width(base, {}), 12);
    expect(width(repeated, {})).toBeLessThan(0.7 * width(base, {}));
  });

  it("keeps every observation in exactly one cluster", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "b", "c")), (names) => {
        const units = clusterUnits(names);
        expect(units).toHaveLength(new Set(names).size);
        expect(units.flat().sort((a, b) => a - b)).toEqual(names.map((_, index) => index));
      }),
    );
  });

  it("has an interval for values so small that their cubes vanish, and none where nothing varies", () => {
    const tiny = [1e-160, 3e-160, 0, 2e-160, 5e-160];
    const of = (values: readonly number[]): Estimate =>
      bootstrap(
        { n: values.length, statistic: (indices) => meanOf(indices.map((index) => values[index] ?? 0)) },
        options,
      );
    const { interval } = { interval: null, ...of(tiny) };
    expect(interval).toMatchObject({
      method: "bootstrap_bca",
      low: expect.any(Number),
      high: expect.any(Number),
    });
    expect(Number.isFinite(interval?.low) && Number.isFinite(interval?.high)).toBe(true);
    expect(of([1, 1, 1])).toMatchObject({ value: 1, interval: { low: null, why: "no_variance" } });
  });

  it("says so where the statistic hardly ever has a value, or there is one cluster only", () => {
    const rare = bootstrap(
      { n: 9, statistic: (indices) => (new Set(indices).size === 9 ? 1 : null) },
      { ...options, method: "percentile" },
    );
    expect(rare).toMatchObject({ value: 1, interval: { low: null, why: "unstable" } });
    const single = bootstrap({ n: 3, statistic: () => 1 }, { ...options, clusters: ["a", "a", "a"] });
    expect(single).toMatchObject({ interval: { why: "too_few" } });
    expect(() => bootstrap({ n: 2, statistic: () => 1 }, { seed: 1, resamples: 3 })).toThrow("at least 100");
  });

  it("the drawn sign-flip test comes near the exact one and is never 0", () => {
    const values = Array.from({ length: 17 }, (_, index) => 0.2 + Math.sin(index * 3));
    const drawn = signFlipTest(values, options);
    expect(drawn).toMatchObject({ test: { method: "monte_carlo" } });
    const exact = signFlipTest(values.slice(1), options);
    expect(exact).toMatchObject({ test: { method: "exact" } });
    const [p, other] = [drawn, exact].map((result) => (result.value === null ? null : result.test.p));
    expect(Math.abs((p ?? 9) - (other ?? -9))).toBeLessThan(0.2);
    const certain = signFlipTest(
      Array.from({ length: 60 }, () => 1),
      options,
    );
    expect(certain.value !== null && certain.test.p).toBe(1 / 10_001);
  });
});

describe("quantiles and random numbers", () => {
  it("quantiles grow with their share and stay within the values", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 }),
        unit,
        unit,
        (values, p, q) => {
          const [low, high] = [quantileOf(values, Math.min(p, q)), quantileOf(values, Math.max(p, q))];
          expect(low ?? Number.NaN).toBeLessThanOrEqual((high ?? Number.NaN) + 1e-9);
          expect(low ?? Number.NaN).toBeGreaterThanOrEqual(Math.min(...values));
          expect(high ?? Number.NaN).toBeLessThanOrEqual(Math.max(...values));
        },
      ),
    );
  });

  it("whole numbers below a bound are all met, floats lie in [0, 1), and shuffling loses nothing", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer({ min: 1, max: 12 }), (seed, below) => {
        const random = createRandom(seed);
        const drawn = new Set(Array.from({ length: 400 }, () => random.int(below)));
        expect([...drawn].sort((a, b) => a - b)).toEqual(Array.from({ length: below }, (_, value) => value));
        const float = random.float();
        expect(float >= 0 && float < 1).toBe(true);
        const items = Array.from({ length: below }, (_, value) => value);
        expect(random.shuffled(items).sort((a, b) => a - b)).toEqual(items);
      }),
      { numRuns: 50 },
    );
    expect(() => createRandom(0.5)).toThrow(RangeError);
    expect(() => createRandom(1).int(0)).toThrow(RangeError);
  });

  it("a calibration error comes with n and a bootstrap interval", () => {
    const predicted = Array.from({ length: 50 }, (_, index) => index / 50);
    const observed = predicted.map((value) => (value > 0.4 ? 1 : 0));
    const result = expectedCalibrationError(
      { predicted, observed },
      { binning: "equal_width", bins: 10, ...options },
    );
    expect(result).toMatchObject({ n: 50, interval: { method: "bootstrap_bca", level: 0.95 } });
  });
});
