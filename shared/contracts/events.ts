import { z } from "zod";

/** `source` of all events that this system publishes. */
export const EVENT_SOURCE = "gymline";

/** `detail-type` of the events, with the shape of their `detail`. */
export const DATASET_PUBLISHED = "dataset.published";

/** A dataset version is complete and registered: training may start. May come more than once. */
export const datasetPublishedSchema = z.strictObject({
  schema: z.literal("gymline.dataset-published.v1"),
  name: z.string(),
  version: z.string(),
  format: z.string(),
  rows: z.int(),
  /** Key of the manifest in the store. */
  manifest: z.string(),
});
export type DatasetPublished = z.infer<typeof datasetPublishedSchema>;

/** An export ended without a version, which trying again would not change. May come more than once. */
export const EXPORT_FAILED = "export.failed";

export const exportFailedSchema = z.strictObject({
  schema: z.literal("gymline.export-failed.v1"),
  name: z.string(),
  cause: z.enum(["threshold", "schedule", "request"]),
  /** `checks`: checks of the dataset failed. `empty`: nothing was left to write. */
  reason: z.enum(["checks", "empty"]),
  why: z.string(),
  /** Key of the report in the store. */
  report: z.string(),
});
export type ExportFailed = z.infer<typeof exportFailedSchema>;

/** What happens to a model (docs/LOOP.md). Each may come more than once. */
export const TRAINING_REQUESTED = "training.requested";
export const TRAINING_SUBMITTED = "training.submitted";
export const TRAINING_FINISHED = "training.finished";
export const MODEL_REGISTERED = "model.registered";
export const EVALUATION_REQUESTED = "evaluation.requested";
export const EVALUATION_FINISHED = "evaluation.finished";
export const MODEL_PROMOTED = "model.promoted";
export const MODEL_REJECTED = "model.rejected";
/** A run of the loop stands still and waits for somebody to look: alarm on it. */
export const LOOP_STOPPED = "loop.stopped";

const ofRun = {
  model: z.string(),
  /** Of the loop. */
  run: z.string(),
  dataset: z.strictObject({ name: z.string(), version: z.string() }),
};
const job = z.string();
const version = z.string();
const champion = z.string().nullable();

/** The `detail` of each, by `detail-type`. */
export const loopEventSchemas = {
  [TRAINING_REQUESTED]: z.strictObject({
    schema: z.literal("gymline.training-requested.v1"),
    ...ofRun,
    fresh: z.int(),
  }),
  [TRAINING_SUBMITTED]: z.strictObject({
    schema: z.literal("gymline.training-submitted.v1"),
    ...ofRun,
    job,
    attempt: z.int().positive(),
  }),
  [TRAINING_FINISHED]: z.strictObject({
    schema: z.literal("gymline.training-finished.v1"),
    ...ofRun,
    outcome: z.enum(["succeeded", "failed"]),
    reason: z.string().nullable(),
  }),
  [MODEL_REGISTERED]: z.strictObject({ schema: z.literal("gymline.model-registered.v1"), ...ofRun, version }),
  [EVALUATION_REQUESTED]: z.strictObject({
    schema: z.literal("gymline.evaluation-requested.v1"),
    ...ofRun,
    version,
    champion,
  }),
  [EVALUATION_FINISHED]: z.strictObject({
    schema: z.literal("gymline.evaluation-finished.v1"),
    ...ofRun,
    version,
    champion,
    verdict: z.enum(["promote", "reject", "invalid"]),
    evaluation: z.string().nullable(),
  }),
  [MODEL_PROMOTED]: z.strictObject({
    schema: z.literal("gymline.model-promoted.v1"),
    ...ofRun,
    version,
    before: champion,
  }),
  [MODEL_REJECTED]: z.strictObject({
    schema: z.literal("gymline.model-rejected.v1"),
    ...ofRun,
    version,
    reason: z.string(),
  }),
  [LOOP_STOPPED]: z.strictObject({
    schema: z.literal("gymline.loop-stopped.v1"),
    ...ofRun,
    state: z.enum(["failed", "invalid"]),
    reason: z.string(),
  }),
} as const;
export type LoopEventType = keyof typeof loopEventSchemas;
export type LoopEvent = {
  readonly [Type in LoopEventType]: {
    readonly type: Type;
    readonly detail: z.infer<(typeof loopEventSchemas)[Type]>;
  };
}[LoopEventType];

/** `detail-type` of AWS Batch's own event. */
export const BATCH_JOB_CHANGED = "Batch Job State Change";

/** Of AWS Batch's own "Batch Job State Change", what is looked at: a hint to look at the job itself. */
export const batchJobChangeSchema = z.object({
  jobId: z.string(),
  status: z.string(),
  /** Of a child of an array job. */
  arrayProperties: z.object({ index: z.int().optional() }).optional(),
});
export type BatchJobChange = Readonly<z.infer<typeof batchJobChangeSchema>>;
