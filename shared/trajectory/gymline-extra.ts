import { z } from "zod";

/** What ATIF has no place for; stands under `extra.gymline` of a trajectory. */

export const TRAJECTORY_SCHEMA = "gymline.trajectory.v1";

const text = z.string();
const count = z.int().nonnegative();

/** The task an agent was given. `id` is what groups attempts at the same task. */
export const taskSchema = z.strictObject({
  id: text.optional(),
  description: text.optional(),
  repo: text.optional(),
  base_commit: text.optional(),
  test_command: text.optional(),
  /** Everything else the source says about the task. */
  metadata: z.record(z.string(), z.unknown()).optional(),
});

/**
 * How an attempt ended, as labelled by the source; nothing here is guessed.
 * `success` is null where no label exists; a mere submission is not success.
 */
export const outcomeSchema = z.strictObject({
  success: z.boolean().nullable(),
  /** Graded result in [0, 1] where the source has one (reward, partial credit). */
  score: z.number().nullable().optional(),
  tests_passed: count.optional(),
  tests_failed: count.optional(),
  tests_total: count.optional(),
  /** How the run stopped, in the source's words: "submitted", "exit_cost", "error"… */
  exit_status: text.optional(),
  feedback: text.optional(),
  /** The field of the source the verdict comes from, e.g. "resolved", "info.exit_status". */
  label_source: text.optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
});

/**
 * How the document was made. Which dropped objects held it stands in the catalog, not here: one log may be
 * dropped twice under different names, and the document must not depend on which came first.
 */
export const provenanceSchema = z.strictObject({
  format: text,
  /** Version of the converter that made this document. */
  converter: text,
  /** Variant of the format that was seen, e.g. "1.x tool calls". */
  variant: text.optional(),
  /** Size of the source record in bytes, after decompression. */
  source_bytes: count,
  /** Hash of converter, redaction and schema versions; a new revision stands beside the old one. */
  revision: text,
});

export const redactionReportSchema = z.strictObject({
  total: count,
  by_type: z.record(z.string(), count),
  /** Where something was replaced, never what; at most 200 entries, `more` counts the rest. */
  entries: z.array(z.strictObject({ path: text, type: text, count })),
  more: count.optional(),
});

/** What could not be carried over from the source, and why. */
export const fidelityEntrySchema = z.strictObject({
  /** Path in the source record, with `*` for repeated places, e.g. `trajectory[*].state`. */
  path: text,
  reason: text,
  count,
});

export const fidelitySchema = z.strictObject({
  /** `token_exact`: token ids (and log-probs) of all agent messages are here; `text_only`: none or not all. */
  tokens: z.enum(["token_exact", "text_only"]),
  dropped: z.array(fidelityEntrySchema),
  /** Remarks that are no loss: repaired NaN, decoded argument strings… */
  notes: z.array(text),
});

export const lintWarningSchema = z.strictObject({ code: text, message: text, step: count.optional() });

export const gymlineExtraSchema = z.strictObject({
  schema: z.literal(TRAJECTORY_SCHEMA),
  /** SHA-256 of the source record's bytes, hex (`gymline.id.v1`). */
  id: z.string().regex(/^[0-9a-f]{64}$/),
  /** SHA-256 over the canonical actions and observations, hex (`gymline.content.v1`). */
  content_id: z.string().regex(/^[0-9a-f]{64}$/),
  id_version: z.literal("gymline.id.v1"),
  content_id_version: z.literal("gymline.content.v1"),
  /** The source's own name of the session, if it has one; a longer log of it supersedes a shorter one. */
  session: text.optional(),
  domain: text.optional(),
  task: taskSchema,
  outcome: outcomeSchema,
  provenance: provenanceSchema,
  redaction: redactionReportSchema,
  fidelity: fidelitySchema,
  lint: z.array(lintWarningSchema),
  /** Time of the run as the source gives it (ISO 8601). */
  started_at: text.optional(),
  /** Everything else the source says about the run. */
  metadata: z.record(z.string(), z.unknown()).optional(),
});

/** Stands under `extra.gymline` of a step. */
export const stepExtraSchema = z.strictObject({
  /** Thought the source itself sets apart from the message (the message may contain it too). */
  thought: text.optional(),
  /** The role the native message had where `source` does not say it (`developer`, `tool`, `function`…). */
  role: text.optional(),
  /** `false`: the source says that this message must not be trained on (a demonstration, a masked turn). */
  trainable: z.boolean().optional(),
  /** Signatures over this step's content: byte-exact as long as the content is untouched. */
  signatures: z.array(z.strictObject({ kind: text, value: text, covers: text.optional() })).optional(),
  /** Provider fields of the native message that have no other place. */
  native: z.record(z.string(), z.unknown()).optional(),
});

/** Stands under `extra.gymline` of a tool call. */
export const callExtraSchema = z.strictObject({
  /** Where the call was read from: `text` means it was parsed out of the message, which still holds it. */
  from: z.enum(["native", "text"]).optional(),
  /** The argument text as the model wrote it, kept where it is no JSON object. */
  raw_arguments: text.optional(),
  native: z.record(z.string(), z.unknown()).optional(),
});

/** Stands under `extra.gymline` of an observation result. */
export const resultExtraSchema = z.strictObject({
  exit_code: z.int().nullable().optional(),
  error: text.optional(),
  is_error: z.boolean().optional(),
  /** The role of the native message this result came in: `user` for text-mode agents. */
  role: text.optional(),
  /** The native tool name on the result message. */
  name: text.optional(),
  /** The id of a call that exists nowhere in the log. */
  orphan_call_id: text.optional(),
  timestamp: text.optional(),
  native: z.record(z.string(), z.unknown()).optional(),
});

export type Task = z.infer<typeof taskSchema>;
export type Outcome = z.infer<typeof outcomeSchema>;
export type Provenance = z.infer<typeof provenanceSchema>;
export type RedactionReport = z.infer<typeof redactionReportSchema>;
export type Fidelity = z.infer<typeof fidelitySchema>;
export type LintWarning = z.infer<typeof lintWarningSchema>;
export type GymlineExtra = z.infer<typeof gymlineExtraSchema>;
export type StepExtra = z.infer<typeof stepExtraSchema>;
export type CallExtra = z.infer<typeof callExtraSchema>;
export type ResultExtra = z.infer<typeof resultExtraSchema>;
