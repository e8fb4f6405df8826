/** What the stack would set, for functions that are run without one. */
export function functionEnvironment(folder: string): Record<string, string> {
  const queues = ["INGEST_QUEUE", "INGEST_DLQ", "SCORE_QUEUE", "JUDGE_QUEUE", "EXPORT_QUEUE", "SWEEP_QUEUE"];
  return {
    AWS_REGION: "us-east-1",
    AWS_LAMBDA_FUNCTION_NAME: "bench",
    LAMBDA_TASK_ROOT: folder,
    GYMLINE_SETTINGS: "settings.json",
    GYMLINE_DROP_BUCKET: "drop",
    GYMLINE_STORE_BUCKET: "store",
    GYMLINE_TABLE: "table",
    GYMLINE_EVENT_BUS: "bus",
    GYMLINE_MODEL_SECRET: "secret",
    GYMLINE_JOB_QUEUE: "queue",
    GYMLINE_JOB_DEFINITION: "job",
    GYMLINE_FUNCTION_OBJECT_BYTES: "1",
    GYMLINE_FUNCTION_EXPORT_BYTES: "1000000000",
    GYMLINE_FUNCTION_EXPORT_ROWS: "1",
    GYMLINE_SCORE_ALONG: "true",
    GYMLINE_MAX_RECEIVES: "4",
    ...Object.fromEntries(queues.map((name) => [`GYMLINE_${name}_URL`, "http://127.0.0.1/queue"])),
  };
}
