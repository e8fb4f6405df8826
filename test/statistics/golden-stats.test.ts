import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { bonferroniAdjusted } from "../../shared/statistics/bonferroni.ts";
import { bootstrap } from "../../shared/statistics/bootstrap.ts";
import { cohensD, cohensDz } from "../../shared/statistics/cohens-d.ts";
import { twoSidedNormal } from "../../shared/statistics/distributions.ts";
import { StatisticsInputError } from "../../shared/statistics/inputs.ts";
import { mannWhitney } from "../../shared/statistics/mann-whitney.ts";
import { mean, meanOf } from "../../shared/statistics/mean.ts";
import { pairedT } from "../../shared/statistics/paired-t.ts";
import type { Estimate } from "../../shared/statistics/result.ts";
import { welchT } from "../../shared/statistics/unpaired-t.ts";
import { proportion } from "../../shared/statistics/wilson.ts";
import { close } from "./vectors.ts";

const folder = new URL("../../../shared/reference/golden/", import.meta.url);
const exists = existsSync(new URL("stats.json", folder));

const samples = z.object({ a: z.array(z.number()), b: z.array(z.number()) });
const tested = z.object({ statistic: z.number(), effect_size: z.number(), significant: z.boolean() });
const scipyTest = z.object({ p: z.number().nullable(), df: z.number().optional() });
const scipyRanks = z.object({
  U_a: z.number(),
  p: z.number(),
  p_no_continuity: z.number().nullable(),
  p_exact: z.number().nullable(),
});

const caseSchema = z.object({
  name: z.string(),
  input: z.unknown(),
  expected: z.unknown(),
  scipy: z.unknown().optional(),
  scipy_wilson: z.tuple([z.number(), z.number()]).optional(),
  scipy_percentile_20000: z.tuple([z.number(), z.number()]).optional(),
  normal_two_sided_p: z.number().optional(),
  reference_defect: z.string().optional(),
});
type Case = z.infer<typeof caseSchema>;

function read(file: string): readonly Case[] {
  return exists ? z.array(caseSchema).parse(JSON.parse(readFileSync(new URL(file, folder), "utf8"))) : [];
}

const cases = read("stats.json");

function named(prefix: string): readonly Case[] {
  return cases.filter(({ name }) => name.startsWith(prefix));
}

/** Where samples do not vary: scipy divides by zero, and these results say so instead of giving a p-value. */
const FLAT = new Set([
  "welch_const_equal",
  "welch_const_diff",
  "welch_all_tied",
  "paired_const_diff",
  "paired_ints",
  "paired_huge_scale",
  "mwu_const_equal",
]);

describe.skipIf(!exists)("the reference's vectors of statistics", () => {
  const tests = [
    ["welch_", welchT, cohensD],
    ["paired_", pairedT, cohensDz],
  ] as const;

  it.each(tests)(
    "%s: scipy's statistic, p-value and degrees of freedom, the reference's effect size",
    (prefix, test, size) => {
      let compared = 0;
      for (const { name, input, expected, scipy, reference_defect: defect } of named(prefix)) {
        const { a, b } = samples.parse(input);
        const failed = z.object({ $error: z.literal("ValueError") }).safeParse(expected);
        if (failed.success) {
          expect(() => test(a, b), name).toThrow(StatisticsInputError);
          continue;
        }
        const one = test(a, b);
        if (Math.min(a.length, b.length) < 2) {
          const why = one.value === null ? one.why : one.test.p === null ? one.test.why : null;
          expect(why, name).toBe("too_few");
          continue;
        }
        if (one.value === null) throw new Error(`${name} has no difference`);
        if (FLAT.has(name)) {
          expect(one.test, name).toMatchObject({ p: null, why: "no_variance" });
          continue;
        }
        const right = scipyTest.parse(scipy);
        const reference = tested.parse(expected);
        expect(close(one.test.p, right.p), name).toBe(true);
        expect(close(one.test.df, right.df ?? null), name).toBe(true);
        // Its verdict is right but where its normal cut-offs or its absolute limits are named as a defect.
        if (defect === undefined) expect((one.test.p ?? 1) < 0.05, name).toBe(reference.significant);
        // It calls small units identical.
        if (name !== "welch_tiny_scale") {
          expect(one.test.statistic, name).toBeCloseTo(reference.statistic, 3);
          expect(Math.abs(size(a, b).value ?? 0), name).toBeCloseTo(reference.effect_size, 3);
        }
        compared += 1;
      }
      expect(compared).toBeGreaterThan(8);
    },
  );

  it("mwu_: scipy's U and its exact, corrected and plain p-values, the reference's effect size", () => {
    let compared = 0;
    for (const { name, input, expected, scipy } of named("mwu_")) {
      const { a, b } = samples.parse(input);
      const [exact, corrected, plain] = [
        mannWhitney(a, b, { method: "exact" }),
        mannWhitney(a, b, { method: "normal" }),
        mannWhitney(a, b, { method: "normal", correction: false }),
      ];
      if (exact.value === null || corrected.value === null || plain.value === null) {
        throw new Error(`${name} has no effect`);
      }
      // One value a side: the reference gives up, the exact p-value is 1.
      if (scipy === undefined || scipy === null) {
        expect(exact.test.p, name).toBe(1);
        continue;
      }
      const right = scipyRanks.parse(scipy);
      if (FLAT.has(name)) {
        expect(corrected.test, name).toMatchObject({ p: null, why: "no_variance" });
        continue;
      }
      expect(corrected.test.statistic, name).toBe(right.U_a);
      expect(close(corrected.test.p, right.p), name).toBe(true);
      expect(close(plain.test.p, right.p_no_continuity), name).toBe(true);
      if (right.p_exact !== null) expect(close(exact.test.p, right.p_exact), name).toBe(true);
      expect(Math.abs(corrected.value), name).toBeCloseTo(tested.parse(expected).effect_size, 3);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(10);
  });

  it("ci_: Student's t interval, where the reference looks up a quantile of other degrees of freedom", () => {
    const input = z.object({ data: z.array(z.number()), confidence: z.number() });
    for (const { name, input: given, scipy } of named("ci_")) {
      const { data, confidence } = input.parse(given);
      const one = mean(data, { level: confidence });
      if (one.value === null) throw new Error(`${name} has no mean`);
      if (data.length === 1) {
        // The reference calls one value certain.
        expect(one.interval, name).toMatchObject({ low: null, why: "too_few" });
        continue;
      }
      const [low, high] = z.tuple([z.number(), z.number()]).parse(scipy);
      expect(close(one.interval.low, low) && close(one.interval.high, high), name).toBe(true);
    }
  });

  it("bootstrap_: percentiles beside those that 20,000 resamples of scipy give", () => {
    const input = z.object({ data: z.array(z.number()), confidence: z.number(), seed: z.number() });
    for (const { name, input: given, scipy_percentile_20000: right } of named("bootstrap_")) {
      const { data, confidence, seed } = input.parse(given);
      const statistic = (indices: readonly number[]): number =>
        meanOf(indices.map((index) => data[index] ?? 0));
      const options = { seed, level: confidence, resamples: 10_000, method: "percentile" } as const;
      const one: Estimate = bootstrap({ n: data.length, statistic }, options);
      if (data.length === 0) {
        expect(one, name).toEqual({ value: null, n: 0, why: "too_few" });
        continue;
      }
      if (one.value === null) throw new Error(`${name} has no mean`);
      if (new Set(data).size === 1) {
        // The reference calls a constant certain.
        expect(one.interval.low, name).toBeNull();
        continue;
      }
      if (right === undefined) continue;
      const step = (Math.max(...data) - Math.min(...data)) / data.length;
      expect(Math.abs((one.interval.low ?? 9) - right[0]), name).toBeLessThanOrEqual(step);
      expect(Math.abs((one.interval.high ?? 9) - right[1]), name).toBeLessThanOrEqual(step);
    }
  });

  it("bonferroni_: the reference's verdicts but for its strict comparison with the edge of a bucket", () => {
    const input = z.object({ p_values: z.array(z.string()), alpha: z.number() });
    for (const { name, input: given, expected, reference_defect: defect } of named("bonferroni_")) {
      const { p_values: names, alpha } = input.parse(given);
      // A bucket stands for every p-value below its edge; names without a number are no test, and yet were counted.
      const edges = names.map((one) => (one.startsWith("p<") ? Number(one.slice(2)) : null));
      const just = edges.map((edge) => (edge === null ? null : edge * (1 - 1e-9)));
      const verdicts = bonferroniAdjusted(just).map((p) => p !== null && p <= alpha);
      const reference = z.array(z.boolean()).parse(expected);
      const right = defect === undefined ? reference : reference.map(() => true);
      expect(verdicts, name).toEqual(right);
    }
  });

  it("approx_p_: the normal law's p-values", () => {
    for (const { name, input, normal_two_sided_p: right } of named("approx_p_")) {
      const { abs_stat: z0 } = z.object({ abs_stat: z.number() }).parse(input);
      expect(close(twoSidedNormal(z0), right ?? null), name).toBe(true);
    }
  });

  it("episodes: Wilson's interval of the success rate, for which the reference rounds 1.96", () => {
    let compared = 0;
    const input = z.object({ episodes: z.array(z.object({ success: z.boolean() })) });
    for (const { name, input: given, scipy_wilson: right } of read("evaluation.json")) {
      if (right === undefined) continue;
      const { episodes } = input.parse(given);
      const one = proportion(episodes.filter(({ success }) => success).length, episodes.length);
      if (one.value === null) throw new Error(`${name} has no rate`);
      expect(close(one.interval.low, right[0]) && close(one.interval.high, right[1]), name).toBe(true);
      compared += 1;
    }
    expect(compared).toBeGreaterThan(2);
  });
});
