import { z } from "zod";

const score = z.number().min(0).max(1);

/** Who labelled: stands in keys, so lower-case letters, digits, `.`, `_` and `-` only. */
export const annotatorSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/);

/** What one person thought of one trajectory. Keyed by trajectory and annotator; a later one replaces it. */
export const labelSchema = z.object({
  schema: z.literal("gymline.label.v1"),
  trajectory_id: z.string().regex(/^[0-9a-f]{64}$/),
  annotator: annotatorSchema,
  /** Overall quality, 0 (useless) to 1 (as good as can be). */
  score,
  /** Whether the task was solved, where the person says so. */
  success: z.boolean().nullable().default(null),
  /** By rubric id; may be partial. */
  rubrics: z.record(z.string(), score).default({}),
  /** Single agent steps, from 0; may be partial. */
  steps: z.array(z.object({ index: z.int().nonnegative(), score })).default([]),
  comment: z.string().max(10_000).default(""),
  /** ISO 8601. */
  labelled_at: z.string(),
});
export type Label = Readonly<z.infer<typeof labelSchema>>;
