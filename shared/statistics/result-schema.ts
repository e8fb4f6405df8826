import { z } from "zod";
import type { Comparison } from "./comparison.ts";
import type { Estimate } from "./result.ts";

const whySchema = z.enum(["too_few", "constant", "one_class", "no_variance", "unstable"]);

const methodSchema = z.enum([
  "student_t",
  "welch_t",
  "fisher_z",
  "bonett_wright",
  "fieller",
  "asymptotic_normal",
  "delong",
  "wilson",
  "newcombe",
  "newcombe_paired",
  "noncentral_t",
  "betting",
  "jackknife_t",
  "bootstrap_percentile",
  "bootstrap_bca",
]);

const intervalSchema = z.union([
  z.strictObject({ level: z.number(), method: methodSchema, low: z.number(), high: z.number() }),
  z.strictObject({
    level: z.number(),
    method: methodSchema,
    low: z.null(),
    high: z.null(),
    why: whySchema,
  }),
]);

const n = z.int().nonnegative();

/** An estimate as it stands in a stored document. */
export const estimateSchema: z.ZodType<Estimate> = z.union([
  z.strictObject({ value: z.number(), n, interval: intervalSchema }),
  z.strictObject({ value: z.null(), n, why: whySchema }),
]);

const p = z.number().min(0).max(1);

const pMethodSchema = z.enum([
  "student_t",
  "normal",
  "normal_corrected",
  "chi_square",
  "chi_square_corrected",
  "exact",
  "mid_p",
  "monte_carlo",
]);

const test = {
  name: z.enum([
    "welch_t",
    "student_t",
    "paired_t",
    "mann_whitney",
    "wilcoxon_signed_rank",
    "mcnemar",
    "two_proportions",
    "fisher",
  ]),
  alternative: z.enum(["two_sided", "greater", "less"]),
  method: pMethodSchema,
  df: z.number().nullable(),
};

const testSchema = z.union([
  z.strictObject({ ...test, statistic: z.number().nullable(), p }),
  z.strictObject({ ...test, statistic: z.null(), p: z.null(), why: whySchema }),
]);

/** A comparison of two sides as it stands in a stored document. */
export const comparisonSchema: z.ZodType<Comparison> = z.union([
  z.strictObject({
    effect: z.enum(["mean_difference", "rank_biserial", "risk_difference"]),
    value: z.number(),
    n,
    sizes: z.tuple([n, n]).readonly(),
    interval: intervalSchema,
    test: testSchema,
  }),
  z.strictObject({ value: z.null(), n, why: whySchema }),
]);
