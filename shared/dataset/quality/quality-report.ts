import { z } from "zod";
import { checkResultSchema } from "./checks.ts";
import { distributionSchema } from "./distribution.ts";

const countsSchema = z.record(z.string(), z.int());

/** What stands in one split, or in all of them together. */
const sectionSchema = z.strictObject({
  rows: z.int(),
  /** Each once, however many rows it stands in. */
  trajectories: z.int(),
  /** Of trajectories: steps of the agent, messages. Of rows: tokens. null where there are none. */
  length: z.strictObject({
    steps: distributionSchema.nullable(),
    messages: distributionSchema.nullable(),
    tokens: distributionSchema.nullable(),
  }),
  reward: distributionSchema.nullable(),
  outcome: countsSchema,
  /** Calls by tool, the most used first; at most 100 tools, the others under `other_calls`. */
  tools: countsSchema,
  other_calls: z.int(),
  domain: countsSchema,
  agent: countsSchema,
  model: countsSchema,
  format: countsSchema,
  /** Places that ingest redacted, by type. */
  redactions: countsSchema,
});

export type QualitySection = z.infer<typeof sectionSchema>;

/** `quality.json` of a dataset version: what is in it, and what its checks found. */
export const qualityReportSchema = z.strictObject({
  schema: z.literal("gymline.quality.v1"),
  name: z.string(),
  version: z.string(),
  target: z.string(),
  /** How tokens were counted: `estimate` is from characters, else the tokenizer's name. */
  tokens_by: z.string(),
  checks: z.array(checkResultSchema),
  all: sectionSchema,
  /** By split; those without a row are left out. */
  splits: z.record(z.string(), sectionSchema),
});

export type QualityReport = z.infer<typeof qualityReportSchema>;
