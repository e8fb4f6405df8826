import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cohensD, cohensDz } from "../../shared/statistics/cohens-d.ts";
import type { Comparison } from "../../shared/statistics/comparison.ts";
import { type Alternative, tP } from "../../shared/statistics/distributions.ts";
import { fisherP } from "../../shared/statistics/fisher.ts";
import { StatisticsInputError } from "../../shared/statistics/inputs.ts";
import { mannWhitney } from "../../shared/statistics/mann-whitney.ts";
import { mcnemar } from "../../shared/statistics/mcnemar.ts";
import { noncentralTCdf } from "../../shared/statistics/noncentral-t.ts";
import { pairedOutcomes } from "../../shared/statistics/paired-outcomes.ts";
import { pairedRankBiserial } from "../../shared/statistics/paired-rank-biserial.ts";
import { pairedRiskDifference } from "../../shared/statistics/paired-risk-difference.ts";
import { pairedT } from "../../shared/statistics/paired-t.ts";
import { rankSumCdf } from "../../shared/statistics/rank-sum-distribution.ts";
import { averageRanks } from "../../shared/statistics/ranks.ts";
import { comparisonSchema } from "../../shared/statistics/result-schema.ts";
import { signFlipTest } from "../../shared/statistics/sign-flip.ts";
import { signedRankTails } from "../../shared/statistics/signed-rank-distribution.ts";
import { twoProportions } from "../../shared/statistics/two-proportions.ts";
import { studentT, welchT } from "../../shared/statistics/unpaired-t.ts";
import { wilcoxonSignedRank } from "../../shared/statistics/wilcoxon.ts";

type Numbers = readonly number[];

/** Few distinct values, so that ties, zeros and sides without spread are common. */
const tied = fc.integer({ min: -3, max: 3 });
const measured = fc
  .double({ min: -100, max: 100, noNaN: true })
  // Below that the unit could not be changed without losing digits.
  .map((one) => (Math.abs(one) < 1e-9 ? 0 : one));
const value = fc.oneof(tied, measured);
const pairs = fc.array(fc.tuple(value, value), { maxLength: 20 });
const sample = fc.array(value, { maxLength: 12 });
const alternatives = fc.constantFrom<Alternative>("two_sided", "greater", "less");

function columns<T>(rows: readonly (readonly [T, T])[]): readonly [T[], T[]] {
  return [rows.map(([first]) => first), rows.map(([, second]) => second)];
}

/** Every test of two samples, the paired ones on as many values as both have. */
function everyTest(a: Numbers, b: Numbers, alternative: Alternative): readonly Comparison[] {
  const n = Math.min(a.length, b.length);
  const [x, y] = [a.slice(0, n), b.slice(0, n)];
  const good = (values: Numbers) => values.map((one) => one > 0);
  const count = (values: Numbers) => ({ successes: good(values).filter(Boolean).length, n: values.length });
  const outcomes = pairedOutcomes(good(x), good(y));
  return [
    welchT(a, b, { alternative }),
    studentT(a, b, { alternative }),
    pairedT(x, y, { alternative }),
    ...(["auto", "exact", "normal"] as const).flatMap((method) => [
      mannWhitney(a, b, { alternative, method }),
      ...(["wilcox", "pratt", "zsplit"] as const).map((zeroMethod) =>
        wilcoxonSignedRank(x, y, { alternative, method, zeroMethod, correction: true }),
      ),
    ]),
    ...(["exact", "mid_p", "chi_square", "chi_square_corrected"] as const).map((method) =>
      mcnemar(outcomes, { alternative, method }),
    ),
    ...(["normal", "exact"] as const).map((method) =>
      twoProportions(count(a), count(b), { alternative, method }),
    ),
  ];
}

describe("every comparison of two sides", () => {
  it("has a p-value in [0, 1] and its effect inside the interval, or says why not, and can be stored", () => {
    fc.assert(
      fc.property(sample, sample, alternatives, (a, b, alternative) => {
        for (const one of everyTest(a, b, alternative)) {
          expect(comparisonSchema.parse(JSON.parse(JSON.stringify(one)))).toEqual(
            JSON.parse(JSON.stringify(one)),
          );
          if (one.value === null) {
            expect(one.why).toBe("too_few");
            expect(Math.min(a.length, b.length)).toBe(0);
            continue;
          }
          const { test, interval } = one;
          if (test.p === null) expect(["too_few", "no_variance"]).toContain(test.why);
          else expect(test.p >= 0 && test.p <= 1).toBe(true);
          if (interval.low === null) continue;
          expect(interval.low).toBeLessThanOrEqual(one.value + 1e-9);
          expect(interval.high).toBeGreaterThanOrEqual(one.value - 1e-9);
        }
      }),
    );
  });

  it("turns its sign and its direction with the sides", () => {
    const mirrored = { two_sided: "two_sided", greater: "less", less: "greater" } as const;
    fc.assert(
      fc.property(sample, sample, alternatives, (a, b, alternative) => {
        const there = everyTest(a, b, alternative);
        const back = everyTest(b, a, mirrored[alternative]);
        for (const [index, one] of there.entries()) {
          const other = back[index];
          if (one.value === null || other === undefined || other.value === null) {
            expect(other?.value).toBe(one.value);
            continue;
          }
          expect(other.value).toBeCloseTo(-one.value, 9);
          expect(other.test.p ?? -1).toBeCloseTo(one.test.p ?? -1, 9);
          if (one.interval.low === null) expect(other.interval.low).toBeNull();
          else expect(other.interval.high).toBeCloseTo(-one.interval.low, 7);
        }
      }),
    );
  });

  it("does not hang on the unit in which values are given", () => {
    fc.assert(
      fc.property(sample, sample, fc.integer({ min: -40, max: 40 }), (a, b, power) => {
        const scaled = (values: Numbers) => values.map((one) => one * 2 ** power);
        const [here, there] = [everyTest(a, b, "two_sided"), everyTest(scaled(a), scaled(b), "two_sided")];
        for (const [index, one] of here.entries()) {
          const other = there[index];
          const [p, q] = [one.value === null ? null : one.test.p, other?.value == null ? null : other.test.p];
          expect(q).toEqual(p);
        }
      }),
    );
  });
});

describe("t tests", () => {
  it("reject at 1 − level exactly where the interval leaves out 0", () => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        for (const of of [welchT, studentT]) {
          const one = of(a, b);
          if (one.value === null || one.test.p === null) continue;
          const { p } = one.test;
          if (p < 1e-6 || p > 1 - 1e-6) continue;
          const touching = of(a, b, { level: 1 - p });
          if (touching.value === null || touching.interval.low === null) throw new Error("no interval");
          const near = one.value > 0 ? touching.interval.low : touching.interval.high;
          expect(Math.abs(near)).toBeLessThan(1e-6 * Math.abs(one.value));
        }
      }),
    );
  });

  it("against a margin are those of values moved by it", () => {
    fc.assert(
      fc.property(pairs, tied, (rows, against) => {
        const [a, b] = columns(rows);
        const moved = b.map((one) => one + against);
        const [given, shifted] = [pairedT(a, b, { against }), pairedT(a, moved)];
        if (given.value === null || shifted.value === null) return;
        if (given.test.p === null || shifted.test.p === null) return;
        expect(given.test.p).toBeCloseTo(shifted.test.p, 8);
      }),
    );
  });

  it("without spread give the difference, no interval and no p-value", () => {
    expect(pairedT([0.9, 0.8, 0.7], [0.6, 0.5, 0.4])).toMatchObject({
      interval: { low: null, why: "no_variance" },
      test: { p: null, statistic: null, why: "no_variance" },
    });
    expect(welchT([1, 1, 1], [0, 0])).toMatchObject({
      value: 1,
      n: 5,
      test: { p: null, why: "no_variance" },
    });
    expect(welchT([1], [0, 2])).toMatchObject({ value: 0, test: { p: null, why: "too_few" } });
    expect(pairedT([], [])).toEqual({ value: null, n: 0, why: "too_few" });
    expect(() => pairedT([1, 2], [1])).toThrow(StatisticsInputError);
    expect(() => welchT([1, Number.NaN], [1])).toThrow("a[1] is NaN");
  });

  it("see a spread of small units as well as of large ones", () => {
    const tiny = [1e-13, 2e-13, 4e-13, 3e-13];
    expect(welchT(tiny, [9e-13, 8e-13, 9.5e-13]).value === null).toBe(false);
    expect(welchT(tiny, [9e-13, 8e-13, 9.5e-13])).toMatchObject({ test: { method: "student_t" } });
  });
});

describe("rank tests", () => {
  it("count U's distribution as all orders of the values do", () => {
    const size = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(size, size, fc.integer({ min: -1, max: 26 }), (m, n, u) => {
        let [reached, all] = [0, 0];
        for (let chosen = 0; chosen < 2 ** (m + n); chosen += 1) {
          const places = Array.from({ length: m + n }, (_, at) => at).filter((at) => (chosen >> at) & 1);
          if (places.length !== m) continue;
          const above = places.reduce((sum, place, order) => sum + place - order, 0);
          all += 1;
          reached += above <= u ? 1 : 0;
        }
        expect(rankSumCdf(u, [m, n])).toBeCloseTo(reached / all, 12);
      }),
    );
  });

  it("count signed ranks as all patterns of signs do, with ties and zeros", () => {
    fc.assert(
      fc.property(fc.array(tied, { minLength: 1, maxLength: 9 }), (differences) => {
        const ranks = averageRanks(differences.map(Math.abs)).filter((_, at) => differences[at] !== 0);
        const signs = differences.filter((one) => one !== 0);
        const observed = ranks.reduce((sum, rank, at) => sum + ((signs[at] ?? 0) > 0 ? rank : 0), 0);
        let [atMost, atLeast] = [0, 0];
        for (let pattern = 0; pattern < 2 ** ranks.length; pattern += 1) {
          const sum = ranks.reduce((total, rank, at) => total + ((pattern >> at) & 1 ? rank : 0), 0);
          atMost += sum <= observed ? 1 : 0;
          atLeast += sum >= observed ? 1 : 0;
        }
        const tails = signedRankTails(ranks, observed);
        expect(tails.atMost).toBeCloseTo(atMost / 2 ** ranks.length, 12);
        expect(tails.atLeast).toBeCloseTo(atLeast / 2 ** ranks.length, 12);
      }),
    );
  });

  it("do not change with any increasing transformation", () => {
    fc.assert(
      fc.property(fc.array(tied, { maxLength: 12 }), fc.array(tied, { maxLength: 12 }), (a, b) => {
        const stretched = (values: Numbers) => values.map((one) => Math.exp(one) * 100 - 7);
        expect(mannWhitney(stretched(a), stretched(b))).toEqual(mannWhitney(a, b));
      }),
    );
  });

  it("have the share of signed ranks as effect, as counted over pairs of differences", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), (differences) => {
        const ranks = averageRanks(differences.map(Math.abs));
        const signed = ranks.reduce((sum, rank, at) => sum + Math.sign(differences[at] ?? 0) * rank, 0);
        const whole = ranks.reduce((sum, rank) => sum + rank, 0);
        expect(pairedRankBiserial(differences, 0.95).value).toBeCloseTo(signed / whole, 12);
      }),
    );
  });

  it("take differences that part by rounding only as tied", () => {
    const tenths = fc.array(fc.tuple(fc.integer({ min: -30, max: 30 }), fc.integer({ min: -30, max: 30 })), {
      maxLength: 16,
    });
    fc.assert(
      fc.property(tenths, fc.constantFrom(10, 3, 7), (rows, part) => {
        const [a, b] = columns(rows);
        const parts = (values: Numbers) => values.map((one) => one / part);
        const [whole, divided] = [wilcoxonSignedRank(a, b), wilcoxonSignedRank(parts(a), parts(b))];
        expect(divided).toEqual(whole);
      }),
    );
  });

  it("say so where all differences are zero or all values the same", () => {
    expect(wilcoxonSignedRank([1, 2], [1, 2])).toMatchObject({
      value: 0,
      test: { p: null, why: "no_variance" },
    });
    expect(mannWhitney([1, 1], [1, 1, 1])).toMatchObject({ value: 0, test: { p: null, why: "no_variance" } });
    expect(mannWhitney([], [1])).toEqual({ value: null, n: 1, why: "too_few" });
  });
});

describe("tests of success", () => {
  const flags = fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 14 });

  it("of pairs are the exact sign-flip test of their differences", () => {
    fc.assert(
      fc.property(flags, (rows) => {
        const [a, b] = columns(rows);
        const flipped = signFlipTest(
          rows.map(([x, y]) => Number(x) - Number(y)),
          { seed: 1, resamples: 100, method: "percentile" },
        );
        const tested = mcnemar(pairedOutcomes(a, b));
        if (flipped.value === null || tested.value === null) throw new Error("no pairs");
        expect(tested.test.p).toBeCloseTo(flipped.test.p ?? -1, 12);
        expect(tested.value).toBeCloseTo(flipped.value, 12);
      }),
    );
  });

  it("of pairs do not change with pairs that agree, which only narrow the interval", () => {
    const few = fc.nat({ max: 12 });
    fc.assert(
      fc.property(few, few, few, fc.integer({ min: 1, max: 50 }), (both, onlyA, onlyB, more) => {
        fc.pre(both + onlyA + onlyB > 0);
        const [before, after] = [
          mcnemar({ both, onlyA, onlyB, neither: 1 }),
          mcnemar({ both: both + more, onlyA, onlyB, neither: 1 + more }),
        ];
        if (before.value === null || after.value === null) throw new Error("no pairs");
        expect(after.test.p).toBe(before.test.p);
      }),
    );
  });

  it("of pairs give the interval that Newcombe published", () => {
    const { value: shown, interval } = {
      interval: null,
      ...pairedRiskDifference({ both: 36, onlyA: 12, onlyB: 2, neither: 0 }),
    };
    expect(shown).toBeCloseTo(0.2, 12);
    expect(interval?.low).toBeCloseTo(0.0569, 4);
    expect(interval?.high).toBeCloseTo(0.3404, 4);
  });

  it("are never surer by the exact p-value than by the mid-p-value", () => {
    const few = fc.nat({ max: 40 });
    fc.assert(
      fc.property(few, few, (onlyA, onlyB) => {
        const outcomes = { both: 1, onlyA, onlyB, neither: 1 };
        const [exact, mid] = [mcnemar(outcomes), mcnemar(outcomes, { method: "mid_p" })];
        if (exact.value === null || mid.value === null) throw new Error("no pairs");
        expect(mid.test.p ?? 2).toBeLessThanOrEqual((exact.test.p ?? 0) + 1e-12);
      }),
    );
  });

  it("of groups count the observed table in both of Fisher's tails", () => {
    const few = fc.nat({ max: 15 });
    fc.assert(
      fc.property(few, few, few, few, (a, b, c, d) => {
        fc.pre(a + b > 0 && c + d > 0);
        const table = { a, b, c, d };
        const [greater, less, both] = [
          fisherP(table, "greater"),
          fisherP(table, "less"),
          fisherP(table, "two_sided"),
        ];
        expect(greater + less).toBeGreaterThan(1);
        expect(both).toBeGreaterThanOrEqual(Math.min(greater, less) - 1e-12);
        // Rows and columns may be exchanged.
        expect(fisherP({ a, b: c, c: b, d }, "two_sided")).toBeCloseTo(both, 12);
      }),
    );
  });

  it("refuse counts that are none", () => {
    expect(() => mcnemar({ both: 1, onlyA: -1, onlyB: 0, neither: 0 })).toThrow("onlyA is -1");
    expect(() => twoProportions({ successes: 3, n: 2 }, { successes: 0, n: 2 })).toThrow(
      StatisticsInputError,
    );
    expect(() => pairedOutcomes([true], [])).toThrow(StatisticsInputError);
    expect(mcnemar({ both: 3, onlyA: 0, onlyB: 0, neither: 2 })).toMatchObject({ value: 0, test: { p: 1 } });
    expect(twoProportions({ successes: 0, n: 3 }, { successes: 0, n: 2 })).toMatchObject({
      test: { p: null, why: "no_variance" },
    });
  });
});

describe("effect sizes", () => {
  it("have an interval that leaves out 0 exactly where the t test rejects", () => {
    fc.assert(
      fc.property(pairs, (rows) => {
        const [a, b] = columns(rows);
        for (const [size, test] of [
          [cohensD(a, b), studentT(a, b)],
          [cohensDz(a, b), pairedT(a, b)],
        ] as const) {
          if (size.value === null || test.value === null || test.test.p === null) continue;
          if (size.interval.low === null || Math.abs(test.test.p - 0.05) < 1e-6) continue;
          const leavesOut = size.interval.low > 0 || size.interval.high < 0;
          expect(leavesOut).toBe(test.test.p < 0.05);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("are drawn to 0 by the correction for few observations, and are undefined without spread", () => {
    const [d, g] = [cohensD([1, 2, 4], [0, 1, 1]), cohensD([1, 2, 4], [0, 1, 1], { unbiased: true })];
    expect(Math.abs(g.value ?? 9)).toBeLessThan(Math.abs(d.value ?? 0));
    expect(cohensD([1, 1], [0, 0])).toEqual({ value: null, n: 4, why: "no_variance" });
    expect(cohensDz([1], [0])).toEqual({ value: null, n: 1, why: "too_few" });
  });

  it("rest on a noncentral t that is Student's without noncentrality and falls as it grows", () => {
    const moderate = fc.double({ min: -6, max: 6, noNaN: true });
    fc.assert(
      fc.property(moderate, fc.integer({ min: 1, max: 300 }), moderate, (t, df, noncentrality) => {
        const central = noncentralTCdf(t, { df, noncentrality: 0 });
        expect(central).toBeCloseTo(tP(t, { df, alternative: "less" }), 11);
        const [here, beyond] = [0, 0.5].map((more) =>
          noncentralTCdf(t, { df, noncentrality: noncentrality + more }),
        );
        expect(beyond ?? 2).toBeLessThanOrEqual((here ?? 0) + 1e-12);
        const mirrored = noncentralTCdf(-t, { df, noncentrality: -noncentrality });
        expect(mirrored).toBeCloseTo(1 - (here ?? 0), 11);
      }),
    );
  });
});
