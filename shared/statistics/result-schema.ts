import { z } from "zod";
import type { Estimate } from "./result.ts";

const whySchema = z.enum(["too_few", "constant", "one_class", "no_variance", "unstable"]);

const methodSchema = z.enum([
  "student_t",
  "fisher_z",
  "bonett_wright",
  "fieller",
  "asymptotic_normal",
  "delong",
  "wilson",
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
