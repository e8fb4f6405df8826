import { z } from "zod";
import { contaminationRules, decontaminationSchema } from "./decontaminate.ts";

const share = z.number().min(0).max(1);

/** More than these are counted, not listed. */
export const LISTED = 10_000;

const nearDuplicatesSchema = z.strictObject({
  threshold: share,
  lsh: z.strictObject({ permutations: z.int(), bands: z.int(), rows: z.int(), detection: share }),
  compared: z.int(),
  candidates: z.int(),
  checked: z.int(),
  clusters: z.int(),
  removed: z.int(),
  /** Each with the one that stands for it; at most 10,000. */
  entries: z.array(z.strictObject({ id: z.string(), of: z.string(), similarity: share })),
});

const contaminationSectionSchema = decontaminationSchema.extend({
  sets: z.array(
    z.strictObject({
      name: z.string(),
      sha256: z.string(),
      items: z.int(),
      /** How many of the items have an id, a repository with a commit, and a text. */
      with_id: z.int(),
      with_commit: z.int(),
      with_text: z.int(),
    }),
  ),
  compared: z.int(),
  removed: z.int(),
  /** Each with the evaluation task that it is about, and by which rule; at most 10,000. */
  entries: z.array(
    z.strictObject({
      id: z.string(),
      set: z.string(),
      item: z.string(),
      rule: z.enum(contaminationRules),
      overlap: share,
    }),
  ),
});

const mixSectionSchema = z.strictObject({
  balance: z.enum(["domain", "difficulty"]),
  /** Weight asked for, rows there were after filters and `perTask`, and rows taken. */
  groups: z.array(
    z.strictObject({ group: z.string(), weight: z.number(), available: z.int(), taken: z.int() }),
  ),
});

/** Part of a manifest: ids, counts and reasons, never a text. */
export const curationSchema = z.strictObject({
  near_duplicates: nearDuplicatesSchema.optional(),
  decontamination: contaminationSectionSchema.optional(),
  mix: mixSectionSchema.optional(),
});

export type CurationSection = z.infer<typeof curationSchema>;
