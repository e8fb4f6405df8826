import { z } from "zod";
import { datasetRequestSchema } from "./dataset-request.ts";
import {
  BATCH_JOB_CHANGED,
  batchJobChangeSchema,
  DATASET_PUBLISHED,
  datasetPublishedSchema,
} from "./events.ts";

/**
 * Bodies of queue messages. All may come twice, late and in any order. The ingest queue takes S3's own event
 * notifications too.
 */

export const ingestMessageSchema = z.strictObject({
  schema: z.literal("gymline.ingest.v1"),
  /** Key in the drop bucket, decoded. */
  key: z.string().min(1),
  /** Reads it even if the catalog says that it was read already. */
  force: z.boolean().default(false),
});
export type IngestQueueMessage = z.infer<typeof ingestMessageSchema>;

export const scoreMessageSchema = z.strictObject({
  schema: z.literal("gymline.score.v1"),
  /** Trajectory id. */
  id: z.string().regex(/^[0-9a-f]{64}$/),
});
export type ScoreQueueMessage = z.infer<typeof scoreMessageSchema>;

export const exportMessageSchema = z.strictObject({
  schema: z.literal("gymline.export.v1"),
  /** Name of a dataset of the deployment; with `request`, of any. */
  dataset: z.string(),
  cause: z.enum(["threshold", "schedule", "request"]),
  /** Replaces the deployment's settings of the dataset. */
  request: datasetRequestSchema.optional(),
});
export type ExportQueueMessage = z.infer<typeof exportMessageSchema>;

/** `submit`: this trajectory may be worth judging. `collect`: look whether batches have ended. */
export const judgeMessageSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    schema: z.literal("gymline.judge.v1"),
    kind: z.literal("submit"),
    /** Trajectory id. */
    id: z.string().regex(/^[0-9a-f]{64}$/),
  }),
  z.strictObject({ schema: z.literal("gymline.judge.v1"), kind: z.literal("collect") }),
]);
export type JudgeQueueMessage = z.infer<typeof judgeMessageSchema>;

export const sweepMessageSchema = z.strictObject({ schema: z.literal("gymline.sweep.v1") });

const loopSweepSchema = z.strictObject({
  schema: z.literal("gymline.loop-message.v1"),
  kind: z.literal("sweep"),
});
export type LoopSweepMessage = z.infer<typeof loopSweepSchema>;

/** A run that failed or is invalid is to go on. */
const loopRedriveSchema = z.strictObject({
  schema: z.literal("gymline.loop-message.v1"),
  kind: z.literal("redrive"),
  model: z.string().min(1),
  run: z.string().min(1),
});
export type LoopRedriveMessage = z.infer<typeof loopRedriveSchema>;

/** The loop's queue takes events as EventBridge hands them over, too. */
export const loopMessageSchema = z.union([
  loopSweepSchema,
  loopRedriveSchema,
  z.object({ "detail-type": z.literal(DATASET_PUBLISHED), detail: datasetPublishedSchema }),
  z.object({ "detail-type": z.literal(BATCH_JOB_CHANGED), detail: batchJobChangeSchema }),
]);
