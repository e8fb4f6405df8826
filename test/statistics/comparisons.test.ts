import { describe, expect, it } from "vitest";
import { benjaminiHochbergAdjusted } from "../../shared/statistics/benjamini-hochberg.ts";
import { bonferroniAdjusted } from "../../shared/statistics/bonferroni.ts";
import { cohensD, cohensDz } from "../../shared/statistics/cohens-d.ts";
import type { Comparison } from "../../shared/statistics/comparison.ts";
import type { Alternative } from "../../shared/statistics/distributions.ts";
import { holmAdjusted } from "../../shared/statistics/holm.ts";
import { mannWhitney } from "../../shared/statistics/mann-whitney.ts";
import { mcnemar } from "../../shared/statistics/mcnemar.ts";
import { mcnemarPower } from "../../shared/statistics/mcnemar-power.ts";
import { neededN } from "../../shared/statistics/needed-n.ts";
import { pairedOutcomes } from "../../shared/statistics/paired-outcomes.ts";
import { pairedT } from "../../shared/statistics/paired-t.ts";
import { passAtKOf } from "../../shared/statistics/pass-at-k.ts";
import { pairedMeansPower, twoMeansPower, twoProportionsPower } from "../../shared/statistics/power.ts";
import type { Estimate } from "../../shared/statistics/result.ts";
import { twoProportions } from "../../shared/statistics/two-proportions.ts";
import { studentT, welchT } from "../../shared/statistics/unpaired-t.ts";
import { wilcoxonSignedRank } from "../../shared/statistics/wilcoxon.ts";
import { comparisons, detailed } from "./comparisons.ts";
import { type Design, design } from "./designs.ts";
import { close } from "./vectors.ts";

const ZERO_METHODS = ["wilcox", "pratt", "zsplit"] as const;
const TESTS = ["Welch", "Student", "paired t", "Mann-Whitney", "Wilcoxon", "McNemar", "z", "Fisher"] as const;

function count(values: readonly boolean[]) {
  return { successes: values.filter((value) => value).length, n: values.length };
}

/** All tests of one design, in the order in which `make_comparisons.py` writes their p-values. */
function testsOf(seed: number, alternative: Alternative): readonly Comparison[] {
  const { a, b, other, successes }: Design = design(seed);
  const zeroMethod = ZERO_METHODS[seed % 3] ?? "wilcox";
  const [first, second] = [count(successes.a), count(successes.b.slice(0, other.length))];
  return [
    welchT(a, other, { alternative }),
    studentT(a, other, { alternative }),
    pairedT(a, b, { alternative }),
    mannWhitney(a, other, { alternative, correction: seed % 4 !== 3 }),
    wilcoxonSignedRank(a, b, { alternative, zeroMethod, correction: seed % 2 === 1 }),
    mcnemar(pairedOutcomes(successes.a, successes.b), { alternative }),
    twoProportions(first, second, { alternative }),
    twoProportions(first, second, { alternative, method: "exact" }),
  ];
}

function pOf(one: Comparison | undefined): number | null {
  return one === undefined || one.value === null ? null : one.test.p;
}

function lowAndHigh(one: Estimate | Comparison | undefined): readonly (number | null)[] {
  return one === undefined || one.value === null ? [null, null] : [one.interval.low, one.interval.high];
}

/** Statistic, degrees of freedom and interval; null without a test. */
function tFigures(one: Comparison | undefined): readonly (number | null)[] | null {
  if (one === undefined || one.value === null || one.test.p === null) return null;
  return [one.test.statistic, one.test.df, ...lowAndHigh(one)];
}

function allClose(
  actual: readonly (number | null)[] | null,
  expected: readonly (number | null)[] | null,
): boolean {
  if (actual === null || expected === null) return actual === expected;
  return actual.length === expected.length && actual.every((one, at) => close(one, expected[at] ?? null));
}

/** The cases in which a figure differs, so that a failure shows them all. */
function differing<T>(cases: readonly T[], figures: (one: T, index: number) => readonly Pair[]) {
  expect(cases.length).toBeGreaterThan(0);
  return cases.flatMap((one, index) => {
    const wrong = figures(one, index).filter(([, actual, expected]) => !allClose(actual, expected));
    return wrong.length === 0 ? [] : [{ index, wrong }];
  });
}

type Figures = readonly (number | null)[] | null;
type Pair = readonly [name: string, actual: Figures, expected: Figures];

describe("comparisons of 4,000 random designs agree to 1e-9 with scipy and statsmodels", () => {
  const { designs } = comparisons;
  const details = designs.map(detailed).filter((one) => one !== null);

  it("in every p-value and in every verdict at 0.05 and 0.01", () => {
    expect(designs.length).toBe(4000);
    const verdicts = new Map(TESTS.map((name) => [name, 0]));
    const wrong = differing(designs, ({ p }, seed) => {
      const actual = testsOf(seed, "two_sided").map(pOf);
      for (const [at, name] of TESTS.entries()) {
        const [mine, theirs] = [actual[at] ?? null, p[at] ?? null];
        for (const alpha of [0.05, 0.01]) {
          const differs = (mine !== null && mine <= alpha) !== (theirs !== null && theirs <= alpha);
          verdicts.set(name, (verdicts.get(name) ?? 0) + Number(differs));
        }
      }
      return TESTS.map((name, at): Pair => [name, [actual[at] ?? null], [p[at] ?? null]]);
    });
    expect(Object.fromEntries(verdicts)).toEqual(Object.fromEntries(TESTS.map((name) => [name, 0])));
    expect(wrong).toEqual([]);
  }, 60_000);

  it("which say yes and no of each test, and try it exactly and by approximation", () => {
    for (const at of TESTS.keys()) {
      const ps = designs.map(({ p }) => p[at] ?? null);
      expect(ps.filter((p) => p !== null && p <= 0.05).length).toBeGreaterThan(100);
      expect(ps.filter((p) => p !== null && p > 0.05).length).toBeGreaterThan(100);
    }
    const methods = new Set(
      details.flatMap((_, seed) =>
        testsOf(seed, "two_sided").flatMap((one) => (one.value === null ? [] : [one.test.method])),
      ),
    );
    expect(methods).toEqual(new Set(["student_t", "exact", "normal", "normal_corrected"]));
  });

  it("one-sided either way", () => {
    const wrong = differing(details, ({ greater, less }, seed) => [
      ["greater", testsOf(seed, "greater").map(pOf), greater],
      ["less", testsOf(seed, "less").map(pOf), less],
    ]);
    expect(wrong).toEqual([]);
  });

  it("in statistics, degrees of freedom and intervals", () => {
    const wrong = differing(details, (expected, seed) => {
      const [welch, student, paired, u, w, , z] = testsOf(seed, "two_sided");
      const statistic = (one: Comparison | undefined): Figures =>
        one === undefined || one.value === null ? [null] : [one.test.statistic];
      return [
        ["welch", tFigures(welch), expected.welch],
        ["student", tFigures(student), expected.student],
        ["paired", tFigures(paired), expected.paired],
        ["u", statistic(u), [expected.u]],
        ["w", statistic(w), [expected.w]],
        ["z", statistic(z), [expected.z]],
        ["newcombe", lowAndHigh(z), expected.newcombe],
      ];
    });
    expect(wrong).toEqual([]);
  });

  it("in McNemar's other p-values and Newcombe's interval for pairs", () => {
    const wrong = differing(details, (expected, seed) => {
      const { successes } = design(seed);
      const outcomes = pairedOutcomes(successes.a, successes.b);
      const by = (method: "mid_p" | "chi_square" | "chi_square_corrected") => mcnemar(outcomes, { method });
      const chi = (["chi_square", "chi_square_corrected"] as const).flatMap((method) => {
        const one = by(method);
        return one.value === null || one.test.p === null ? [] : [one.test.statistic, one.test.p];
      });
      return [
        ["mid-p", [pOf(by("mid_p"))], [expected.midP]],
        ["chi-square", chi, expected.chiSquare ?? []],
        ["interval", lowAndHigh(by("mid_p")), expected.newcombePaired],
      ];
    });
    expect(wrong).toEqual([]);
  });
});

describe("effect sizes, power and corrections agree to 1e-9 with scipy and statsmodels", () => {
  it("Cohen's d and d_z with the intervals of the noncentral t, and Hedges' g", () => {
    const wrong = differing(comparisons.effects, ({ a, b, c, level, d, dz, g }) => {
      const [between, within] = [cohensD(a, b, { level }), cohensDz(a, c, { level })];
      return [
        ["d", [between.value, ...lowAndHigh(between)], d],
        ["d_z", [within.value, ...lowAndHigh(within)], dz],
        ["g", [cohensD(a, b, { level, unbiased: true }).value], [g]],
      ];
    });
    expect(wrong).toEqual([]);
  });

  it("power of t tests, of two proportions and of McNemar's test", () => {
    const wrong = differing(comparisons.powers, (one) => {
      const { alpha, alternative, effect, sizes, rates, mcnemar: pairs } = one;
      const options = { alpha, alternative };
      return [
        // scipy gives nothing for some powers that are next to none.
        ["paired", [pairedMeansPower({ effect, n: sizes[0] }, options).value], [one.paired ?? 0]],
        ["groups", [twoMeansPower({ effect, sizes }, options).value], [one.groups]],
        ["proportions", [twoProportionsPower({ rates, sizes }, options).value], [one.proportions]],
        ["McNemar", [mcnemarPower(pairs, options).value], [pairs.power]],
      ];
    });
    expect(wrong).toEqual([]);
  });

  it("the number needed for a power of 0.8", () => {
    const cases = comparisons.powers.filter(({ needed }) => needed !== null);
    const wrong = differing(cases, ({ alpha, effect, needed }) => {
      const pairs = neededN({ power: (n) => pairedMeansPower({ effect, n }, { alpha }) });
      const groups = neededN({ power: (n) => twoMeansPower({ effect, sizes: [n, n] }, { alpha }) });
      return [
        ["paired", [pairs.n], [needed?.paired ?? null]],
        ["groups", [groups.n], [needed?.groups ?? null]],
      ];
    });
    expect(wrong).toEqual([]);
  });

  it("Bonferroni, Holm, Benjamini and Hochberg", () => {
    const wrong = differing(comparisons.families, ({ values, bonferroni, holm, benjaminiHochberg }) => [
      ["Bonferroni", bonferroniAdjusted(values), bonferroni],
      ["Holm", holmAdjusted(values), holm],
      ["Benjamini-Hochberg", benjaminiHochbergAdjusted(values), benjaminiHochberg],
    ]);
    expect(wrong).toEqual([]);
  });

  it("pass@k, counted over all draws of k attempts", () => {
    const wrong = differing(comparisons.attempts, ({ k, value, ...task }) => [
      ["pass@k", [passAtKOf(task, k)], [value]],
    ]);
    expect(wrong).toEqual([]);
  });
});
