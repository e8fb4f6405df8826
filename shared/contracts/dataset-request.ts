import { z } from "zod";
import { decontaminationSchema } from "../curation/decontaminate.ts";
import { mixSchema } from "../curation/mix.ts";
import { splitSchema } from "../dataset/split.ts";

/** What an SFT set is made of. */
export const datasetRequestSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i, "letters, digits, `.`, `_` and `-` only, at most 64")
    .default("sft"),
  format: z.literal("sft").default("sft"),
  /** Verdicts of the source that count: `unknown` stands for logs without one. */
  success: z.array(z.enum(["true", "false", "unknown"])).default(["true"]),
  minReward: z.number().min(0).max(1).optional(),
  /** Least GDI rank value; freshness counts from the moment of the export. */
  minGdi: z.number().min(0).max(1).optional(),
  domain: z.string().optional(),
  project: z.string().optional(),
  agent: z.string().optional(),
  model: z.string().optional(),
  sourceFormat: z.string().optional(),
  /** At most so many trajectories of one task, the best first. */
  perTask: z.int().positive().optional(),
  limit: z.int().positive().optional(),
  /**
   * A trajectory whose score is still missing when this many minutes have passed since it came in is taken without
   * one; before, it waits. Without this setting it waits for ever.
   */
  scoreDeadlineMinutes: z.int().positive().optional(),
  /**
   * What is left out as a repetition. `exact` (where nothing is said): the same actions and observations; `near`: also
   * what is at least so similar to a better one, 0 to 1; `off`: nothing, as sets of groups of attempts want it.
   */
  dedup: z
    .union([z.enum(["exact", "off"]), z.strictObject({ near: z.number().gt(0).max(1).default(0.85) })])
    .optional(),
  /** Files of evaluation tasks: what is about one of these is left out. */
  against: z.array(z.string().min(1)).optional(),
  decontamination: decontaminationSchema.optional(),
  /** Shares of domains, tokens and order. */
  mix: mixSchema.optional(),
  /** Fewest and most steps of the agent. */
  minSteps: z.int().positive().optional(),
  maxSteps: z.int().positive().optional(),
  /** Came into the store at this moment or later, and before that one. */
  createdAfter: z.iso.datetime({ offset: true }).or(z.iso.date()).optional(),
  createdBefore: z.iso.datetime({ offset: true }).or(z.iso.date()).optional(),
  split: splitSchema.prefault({}),
});

export type DatasetRequest = z.infer<typeof datasetRequestSchema>;
