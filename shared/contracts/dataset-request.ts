import { z } from "zod";
import { decontaminationSchema } from "../curation/decontaminate.ts";
import { mixSchema } from "../curation/mix.ts";
import { cardSchema } from "../dataset/card-settings.ts";
import { checksSchema } from "../dataset/quality/checks.ts";
import { splitSchema } from "../dataset/split.ts";
import { TARGET_IDS, targetOf } from "../dataset/targets/targets.ts";
import { pairingOptionsSchema } from "../preferences/options.ts";

const targetSchema = z.enum(TARGET_IDS, {
  error: ({ input }) =>
    `there is no target ${JSON.stringify(input)}; the known ones are ${TARGET_IDS.join(", ")}`,
});

/** How attempts are paired, for targets whose rows are pairs; `perTask` is that of the dataset. */
const pairsSchema = pairingOptionsSchema.omit({ perTask: true }).extend({
  /** `trajectory`: a side is all that follows where the two part. `step`: it is one message of the agent. */
  unit: z.enum(["trajectory", "step"]).default("trajectory"),
  /** `same`: only rewards of the same layers are compared. `any`: also one with a verdict and one without. */
  layers: z.enum(["same", "any"]).default("same"),
  /** Greatest share of pairs whose chosen attempt is the longer one. */
  maxLongerShare: z.number().gt(0).max(1).optional(),
  /** Votes in the store go before rewards where a pair has so many. Not given: votes do not count. */
  minVotes: z.int().positive().optional(),
});

/** What a dataset is made of. */
export const datasetRequestSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i, "letters, digits, `.`, `_` and `-` only, at most 64")
      .default("sft"),
    /** The trainer it is for, and with it the columns of its rows; see `TARGETS`. */
    target: targetSchema.default("trl"),
    /** `jsonl` or `parquet`, with the same rows; by default what the target's trainer reads. */
    files: z.enum(["jsonl", "parquet"]).optional(),
    /** A file ends after so many rows and the next one begins. Without this setting a split is one file. */
    shardRows: z.int().positive().optional(),
    /**
     * Verdicts of the source that count: `unknown` stands for logs without one. By default success alone where rows are
     * examples to follow, all where rows compare attempts or tell good from bad.
     */
    success: z.array(z.enum(["true", "false", "unknown"])).optional(),
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
    /** Shares of domains or difficulties, tokens and order. */
    mix: mixSchema.optional(),
    /**
     * Folder of a Hugging Face tokenizer (`tokenizer.json`, and `tokenizer_config.json` or `chat_template.jinja` for the
     * chat template): tokens are counted by it, else estimated from characters.
     */
    tokenizer: z.string().min(1).optional(),
    /** Fewest and most tokens of a trajectory, as `tokenizer` counts them. */
    minTokens: z.int().positive().optional(),
    maxTokens: z.int().positive().optional(),
    /** Fewest and most steps of the agent. */
    minSteps: z.int().positive().optional(),
    maxSteps: z.int().positive().optional(),
    /** Came into the store at this moment or later, and before that one. */
    createdAfter: z.iso.datetime({ offset: true }).or(z.iso.date()).optional(),
    createdBefore: z.iso.datetime({ offset: true }).or(z.iso.date()).optional(),
    pairs: pairsSchema.prefault({}),
    /** Name of the environment in prompt sets for SkyRL. */
    envClass: z.string().min(1).default("gymline"),
    split: splitSchema.prefault({}),
    /** Thresholds of the checks that a version has to pass, and which of them may find something. */
    checks: checksSchema.optional(),
    /** What the card says beside what the data say. */
    card: cardSchema.optional(),
  })
  .refine(
    ({ target, dedup, mix }) =>
      targetOf(target).unit === "trajectory" || (mix === undefined && typeof dedup !== "object"),
    {
      message:
        "near-duplicates and mixing are for targets whose rows are single trajectories: groups of attempts stay whole",
      path: ["target"],
    },
  )
  .refine(({ minTokens = 0, maxTokens = Number.POSITIVE_INFINITY }) => minTokens <= maxTokens, {
    message: "minTokens is above maxTokens, so nothing could be taken; give a smaller one",
    path: ["minTokens"],
  })
  .refine(({ minSteps = 0, maxSteps = Number.POSITIVE_INFINITY }) => minSteps <= maxSteps, {
    message: "minSteps is above maxSteps, so nothing could be taken; give a smaller one",
    path: ["minSteps"],
  });

export type DatasetRequest = z.infer<typeof datasetRequestSchema>;
