import { z } from "zod";
import { curationSchema } from "../curation/curation-section.ts";
import { checkResultSchema } from "./quality/checks.ts";

export const MANIFEST_SCHEMA = "gymline.dataset.v2";

const writtenFileSchema = z.strictObject({
  /** Relative to the folder of the version. */
  path: z.string(),
  bytes: z.int(),
  sha256: z.string(),
});
export type WrittenFile = Readonly<z.infer<typeof writtenFileSchema>>;

const tokensSchema = z.strictObject({
  total: z.int(),
  min: z.int().nullable(),
  max: z.int().nullable(),
  mean: z.number().nullable(),
  /** `estimate`: from characters. */
  by: z.enum(["estimate", "tokenizer"]),
  tokenizer: z.strictObject({ name: z.string(), sha256: z.string() }).optional(),
  /** The conversation with its tools as the tokenizer's chat template writes it, or its texts alone. */
  of: z.enum(["chat-template", "texts"]),
});

/** The manifest of a dataset version; it is written last, so a version without one is unfinished. */
export const manifestSchema = z.strictObject({
  schema: z.literal(MANIFEST_SCHEMA),
  name: z.string(),
  /** First 12 hex digits of a SHA-256 over format, settings and rows: the same rows give the same version. */
  version: z.string(),
  /** What the rows are: the `format` of a target, such as `sft-messages`. */
  format: z.string(),
  rows: z.int(),
  files: z.array(
    z.strictObject({
      path: z.string(),
      split: z.enum(["train", "validation", "test"]),
      rows: z.int(),
      tasks: z.int(),
      bytes: z.int(),
      sha256: z.string(),
    }),
  ),
  /** What it was made of: a file with a line for each trajectory (`DatasetInput`), since there may be a million. */
  inputs: writtenFileSchema.extend({ rows: z.int() }),
  settings: z.record(z.string(), z.unknown()),
  /** Of the split and of whatever is drawn: part of the settings, named here too. */
  seed: z.int(),
  /** What was looked at and left out, by reason. */
  selection: z.strictObject({
    considered: z.int(),
    selected: z.int(),
    excluded: z.record(z.string(), z.int()),
    /** Pairs and tasks that make no row, by reason; `excluded` counts trajectories. */
    pairs_left_out: z.record(z.string(), z.int()).optional(),
    tasks_left_out: z.record(z.string(), z.int()).optional(),
    /** Rows without a score: it did not come before `scoreDeadlineMinutes`. */
    unscored: z.int().optional(),
  }),
  /** Near-duplicates and evaluation tasks: what was compared, what was left out and why. */
  curation: curationSchema.optional(),
  /** Checks that found something and let the version pass all the same; `quality.json` has all of them. */
  checks: z.array(checkResultSchema.pick({ id: true, outcome: true, count: true })).optional(),
  statistics: z.strictObject({
    reward_mean: z.number().nullable(),
    reward_min: z.number().nullable(),
    reward_max: z.number().nullable(),
    by_success: z.record(z.string(), z.int()),
    by_domain: z.record(z.string(), z.int()),
    by_format: z.record(z.string(), z.int()),
    by_agent: z.record(z.string(), z.int()),
    by_model: z.record(z.string(), z.int()),
    redactions: z.int(),
    messages: z.int(),
    trained_messages: z.int(),
    /** Of the trajectories in it, each once, and how they were counted. */
    tokens: tokensSchema.optional(),
  }),
  /** The card and what a trainer needs beside the data. */
  beside: z.array(writtenFileSchema),
  /** Where it comes from; no part of the version's identity. `commit`: null where the program does not know it. */
  made_by: z.strictObject({ tool: z.literal("gymline"), version: z.string(), commit: z.string().nullable() }),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** All that a manifest says before the files beside the data are written, which are made from it. */
export type DatasetFacts = Omit<Manifest, "beside" | "made_by">;

/** A trajectory that a dataset version holds: one line of its inputs file. */
export const datasetInputSchema = z.strictObject({
  id: z.string(),
  content_id: z.string(),
  /** Of the document that was rendered. */
  revision: z.string(),
  /** null: it had no score. */
  scorer: z.string().nullable(),
  reward: z.number().nullable(),
  split: z.enum(["train", "validation", "test"]),
  /** Numbers of the rows it stands in, from 1 and through all files of the split. */
  rows: z.array(z.int().positive()),
});

export type DatasetInput = Readonly<z.infer<typeof datasetInputSchema>>;
