import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { benjaminiHochbergAdjusted } from "../../shared/statistics/benjamini-hochberg.ts";
import { bonferroniAdjusted } from "../../shared/statistics/bonferroni.ts";
import { bootstrap } from "../../shared/statistics/bootstrap.ts";
import { bootstrapMeans } from "../../shared/statistics/bootstrap-means.ts";
import { clusterBootstrap } from "../../shared/statistics/cluster-bootstrap.ts";
import { holmAdjusted } from "../../shared/statistics/holm.ts";
import { StatisticsInputError } from "../../shared/statistics/inputs.ts";
import { mcnemarPower } from "../../shared/statistics/mcnemar-power.ts";
import { meanOf } from "../../shared/statistics/mean.ts";
import { neededN } from "../../shared/statistics/needed-n.ts";
import { passAtK, passAtKOf } from "../../shared/statistics/pass-at-k.ts";
import { pairedMeansPower, twoMeansPower, twoProportionsPower } from "../../shared/statistics/power.ts";
import { createRandom } from "../../shared/statistics/random.ts";

const unit = fc.double({ min: 0, max: 1, noNaN: true });

describe("p-values of a family", () => {
  const family = fc.array(fc.option(unit), { maxLength: 12 });

  it("are adjusted upwards, most by Bonferroni and least by Benjamini and Hochberg, in the same order", () => {
    fc.assert(
      fc.property(family, (values) => {
        const columns = [benjaminiHochbergAdjusted(values), holmAdjusted(values), bonferroniAdjusted(values)];
        for (const [index, p] of values.entries()) {
          const adjusted = columns.map((column) => column[index]);
          if (p === null) {
            expect(adjusted).toEqual([null, null, null]);
            continue;
          }
          const ladder = [p, ...adjusted.map((one) => one ?? 0), 1];
          for (const [step, one] of ladder.entries()) {
            expect(one).toBeLessThanOrEqual((ladder[step + 1] ?? 1) + 1e-12);
          }
          for (const [other, q] of values.entries()) {
            if (q === null || q < p) continue;
            for (const column of columns) expect(column[index]).toBeLessThanOrEqual(column[other] ?? 0);
          }
        }
      }),
    );
  });

  it("stay what they are where there is one test", () => {
    for (const of of [bonferroniAdjusted, holmAdjusted, benjaminiHochbergAdjusted]) {
      expect(of([null, 0.04])).toEqual([null, 0.04]);
      expect(of([])).toEqual([]);
    }
  });
});

describe("means of clusters", () => {
  /** Sixteen values of four clusters in quarters: no resample's mean has a rounding by which two ways could part. */
  const exact = fc
    .array(fc.integer({ min: -20, max: 20 }), { minLength: 16, maxLength: 16 })
    .map((values) => values.map((value, index) => [value / 4, index % 4] as const));
  const rows = fc.array(fc.tuple(fc.double({ min: -9, max: 9, noNaN: true }), fc.nat({ max: 6 })), {
    minLength: 1,
    maxLength: 30,
  });

  function bothWays(
    drawn: readonly (readonly [number, number])[],
    options: { readonly seed: number; readonly method: "percentile" | "bca" },
  ) {
    const values = drawn.map(([value]) => value);
    const clusters = drawn.map(([, cluster]) => `task ${cluster}`);
    const statistic = (indices: readonly number[]): number =>
      meanOf(indices.map((index) => values[index] ?? 0));
    return {
      fast: clusterBootstrap({ values, clusters }, { ...options, resamples: 200 }),
      slow: bootstrap({ n: values.length, statistic }, { ...options, resamples: 200, clusters }),
    };
  }

  function expectSame({ fast, slow }: ReturnType<typeof bothWays>): void {
    if (fast.value === null || slow.value === null) throw new Error("no mean");
    expect(fast.value).toBeCloseTo(slow.value, 10);
    expect(fast.interval.method).toBe(slow.interval.method);
    expect(fast.interval.low ?? fast.value).toBeCloseTo(slow.interval.low ?? slow.value, 8);
    expect(fast.interval.high ?? fast.value).toBeCloseTo(slow.interval.high ?? slow.value, 8);
  }

  it("have the intervals that drawing their observations one by one gives", () => {
    const method = fc.constantFrom<"percentile" | "bca">("percentile", "bca");
    fc.assert(
      fc.property(exact, method, fc.integer(), (drawn, by, seed) => {
        expectSame(bothWays(drawn, { seed, method: by }));
      }),
      { numRuns: 50 },
    );
    fc.assert(
      fc.property(rows, fc.integer(), (drawn, seed) => {
        expectSame(bothWays(drawn, { seed, method: "percentile" }));
      }),
      { numRuns: 50 },
    );
  });

  it("of values that are all the same have no interval, whatever they are", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.integer(), (value, seed) => {
        const drawn = Array.from({ length: 9 }, (_, index) => [value, index % 4] as const);
        const { fast } = bothWays(drawn, { seed, method: "percentile" });
        // A mean of -0 is 0.
        expect(fast).toMatchObject({ value: value + 0, interval: { low: null, why: "no_variance" } });
      }),
      { numRuns: 30 },
    );
  });

  it("of several columns are drawn together: the difference of two lies as far from each as they from it", () => {
    const clusters = ["a", "b", "c", "d", "e"];
    const [x, y] = [
      [1, 0, 1, 1, 0],
      [0, 0, 1, 0, 0],
    ];
    const options = { seed: 3, resamples: 500, method: "percentile" } as const;
    const together = bootstrapMeans(
      {
        x: { values: x, clusters },
        y: { values: y, clusters },
        less: { values: x.map((value, index) => value - (y[index] ?? 0)), clusters },
      },
      options,
    );
    expect(together.x).toEqual(clusterBootstrap({ values: x, clusters }, options));
    expect(together.less.value).toBeCloseTo((together.x.value ?? 0) - (together.y.value ?? 0), 12);
    // y never exceeds x within a task, and so in no resample.
    expect(together.less).toMatchObject({ interval: { method: "bootstrap_percentile", low: 0 } });
  });

  it("may be of columns that miss some clusters", () => {
    const { few, none } = bootstrapMeans(
      {
        whole: { values: [1, 2, 3, 4], clusters: ["a", "b", "c", "d"] },
        few: { values: [5, 7], clusters: ["a", "b"] },
        none: { values: [], clusters: [] },
      },
      { seed: 1, resamples: 100, method: "percentile" },
    );
    expect(few).toMatchObject({ value: 6, n: 2, interval: { low: 5, high: 7 } });
    expect(none).toEqual({ value: null, n: 0, why: "too_few" });
  });

  it("are the same of the same seed, and need two clusters and a hundred resamples", () => {
    const of = { values: [1, 2, 4], clusters: ["a", "b", "b"] };
    const options = { seed: 9, resamples: 100 };
    expect(clusterBootstrap(of, options)).toEqual(clusterBootstrap(of, options));
    expect(clusterBootstrap({ ...of, clusters: ["a", "a", "a"] }, options)).toMatchObject({
      interval: { low: null, why: "too_few" },
    });
    expect(() => clusterBootstrap(of, { seed: 1, resamples: 99 })).toThrow(StatisticsInputError);
    expect(() => clusterBootstrap({ ...of, clusters: ["a"] }, options)).toThrow(StatisticsInputError);
  });

  it("draw whole numbers that are the remainders of the generator's words", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, below) => {
        const [random, words] = [createRandom(seed), createRandom(seed)];
        const limit = 2 ** 32 - (2 ** 32 % below);
        for (let drawn = 0; drawn < 20; drawn += 1) {
          let word = words.uint32();
          while (word >= limit) word = words.uint32();
          expect(random.int(below)).toBe(word % below);
        }
      }),
    );
  });
});

describe("pass@k", () => {
  const task = fc
    .tuple(fc.integer({ min: 1, max: 30 }), unit)
    .map(([attempts, share]) => ({ attempts, successes: Math.round(share * attempts) }));

  it("is the success rate at k = 1, rises with k and is certain or impossible at k = attempts", () => {
    fc.assert(
      fc.property(task, ({ attempts, successes }) => {
        const values = Array.from({ length: attempts }, (_, k) => passAtKOf({ attempts, successes }, k + 1));
        expect(values[0]).toBeCloseTo(successes / attempts, 12);
        expect(values.at(-1)).toBe(successes > 0 ? 1 : 0);
        for (const [k, value] of values.entries()) {
          if (k > 0) expect(value ?? -1).toBeGreaterThanOrEqual((values[k - 1] ?? 2) - 1e-12);
        }
        expect(passAtKOf({ attempts, successes }, attempts + 1)).toBeNull();
      }),
    );
  });

  it("of several tasks is their mean with an interval over tasks, and not defined where one has too few", () => {
    const tasks = [
      { attempts: 4, successes: 1 },
      { attempts: 8, successes: 8 },
      { attempts: 5, successes: 0 },
    ];
    const actual = passAtK(tasks, { k: 2, seed: 1, resamples: 400, method: "percentile" });
    expect(actual).toMatchObject({ value: 0.5, n: 3, interval: { low: 0, high: 1 } });
    expect(passAtK(tasks, { k: 5, seed: 1 })).toEqual({ value: null, n: 3, why: "too_few" });
    expect(passAtK([], { k: 1, seed: 1 })).toEqual({ value: null, n: 0, why: "too_few" });
    expect(() => passAtK(tasks, { k: 0, seed: 1 })).toThrow("k is 0");
    expect(() => passAtK([{ attempts: 1, successes: 2 }], { k: 1, seed: 1 })).toThrow("task 0");
  });
});

describe("power", () => {
  const effect = fc.double({ min: 0.05, max: 2, noNaN: true });
  const count = fc.integer({ min: 2, max: 200 });

  it("is α without an effect, grows with effect and number, and is the same for its mirror image", () => {
    fc.assert(
      fc.property(effect, count, fc.constantFrom(0.01, 0.05), (size, n, alpha) => {
        for (const of of [
          (d: number, m: number) => pairedMeansPower({ effect: d, n: m }, { alpha }).value,
          (d: number, m: number) => twoMeansPower({ effect: d, sizes: [m, m] }, { alpha }).value,
        ]) {
          expect(of(0, n)).toBeCloseTo(alpha, 9);
          expect(of(-size, n)).toBeCloseTo(of(size, n), 9);
          expect(of(size * 1.1, n)).toBeGreaterThanOrEqual(of(size, n) - 1e-12);
          expect(of(size, n + 1)).toBeGreaterThanOrEqual(of(size, n) - 1e-12);
        }
      }),
    );
  });

  it("of McNemar's exact test stays at or below α where neither side is better", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        fc.integer({ min: 1, max: 80 }),
        (rate, n) => {
          expect(mcnemarPower({ onlyA: rate, onlyB: rate, n }).value).toBeLessThanOrEqual(0.05 + 1e-12);
        },
      ),
    );
  });

  it("reaches its target at the number needed and not below, or says that the most are too few", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.15, max: 2, noNaN: true }),
        fc.double({ min: 0.3, max: 0.95, noNaN: true }),
        (size, target) => {
          const power = (n: number) => pairedMeansPower({ effect: size, n });
          const needed = neededN({ power, target });
          if (needed.n === null) throw new Error("no number");
          expect(needed.power).toBeGreaterThanOrEqual(target);
          if (needed.n > 2) expect(power(needed.n - 1).value).toBeLessThan(target);
        },
      ),
      { numRuns: 30 },
    );
    const hopeless = neededN({ power: (n) => pairedMeansPower({ effect: 0, n }), most: 100 });
    expect(hopeless).toMatchObject({ n: null, why: "too_few" });
    const pairs = neededN({ power: (n) => mcnemarPower({ onlyA: 0.2, onlyB: 0.05, n }), least: 1 });
    expect(pairs.power).toBeGreaterThanOrEqual(0.8);
  });

  it("refuses what cannot be meant", () => {
    expect(() => pairedMeansPower({ effect: 1, n: 1 })).toThrow(StatisticsInputError);
    expect(() => twoMeansPower({ effect: 1, sizes: [5, 5] }, { alpha: 1 })).toThrow("0.05");
    expect(() => mcnemarPower({ onlyA: 0.7, onlyB: 0.7, n: 5 })).toThrow("at most 1");
    expect(twoProportionsPower({ rates: [0, 1], sizes: [9, 9] }).value).toBe(1);
    expect(twoProportionsPower({ rates: [0, 0], sizes: [9, 9] }).value).toBe(0);
  });
});
