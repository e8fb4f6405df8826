import { z } from "zod";

/** Names of the environment variables that functions and jobs read; the stack sets them. */
export const functionEnvironmentSchema = z.object({
  GYMLINE_DROP_BUCKET: z.string().min(1),
  GYMLINE_STORE_BUCKET: z.string().min(1),
  GYMLINE_TABLE: z.string().min(1),
  GYMLINE_EVENT_BUS: z.string().min(1),
  GYMLINE_INGEST_QUEUE_URL: z.string().min(1),
  GYMLINE_INGEST_DLQ_URL: z.string().min(1),
  GYMLINE_SCORE_QUEUE_URL: z.string().min(1),
  GYMLINE_JUDGE_QUEUE_URL: z.string().min(1),
  GYMLINE_EXPORT_QUEUE_URL: z.string().min(1),
  GYMLINE_SWEEP_QUEUE_URL: z.string().min(1),
  /** Name or ARN of the secret with the keys of model providers. */
  GYMLINE_MODEL_SECRET: z.string().min(1),
  /** Batch queue and definition of the jobs that take over what is too large for a function. */
  GYMLINE_JOB_QUEUE: z.string().min(1),
  GYMLINE_JOB_DEFINITION: z.string().min(1),
  /** File or s3:// URL of the deployed settings (`gymline.settings.v1`). */
  GYMLINE_SETTINGS: z.string().min(1),
  /** A dropped object larger than this many bytes is taken in by a job. */
  GYMLINE_FUNCTION_OBJECT_BYTES: z.coerce.number().int().positive(),
  /** A dataset of more rows than this is written by a job. */
  GYMLINE_FUNCTION_EXPORT_ROWS: z.coerce.number().int().positive(),
  /** So is one made of more bytes of logs. */
  GYMLINE_FUNCTION_EXPORT_BYTES: z.coerce.number().int().positive(),
  /** Whether ingest scores what it takes in. */
  GYMLINE_SCORE_ALONG: z.enum(["true", "false"]).transform((text) => text === "true"),
  /** How often a message is tried before it goes to the dead-letter queue. */
  GYMLINE_MAX_RECEIVES: z.coerce.number().int().positive(),
});
export type FunctionEnvironment = z.infer<typeof functionEnvironmentSchema>;

/** The same with what the stack sets only where the deployment was told. */
export const toldEnvironmentSchema = functionEnvironmentSchema.extend({
  /** Commit of the program, for manifests. */
  GYMLINE_COMMIT: z.string().min(1).optional(),
});
export type ToldEnvironment = z.infer<typeof toldEnvironmentSchema>;
