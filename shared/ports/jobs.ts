export type JobState = "SUBMITTED" | "PENDING" | "RUNNABLE" | "STARTING" | "RUNNING" | "SUCCEEDED" | "FAILED";

export interface JobRequest {
  /** Letters, digits, `-` and `_`, at most 128. */
  readonly name: string;
  /** Arguments of the job program (`gymline …`). */
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Runs so many copies, each with its index in AWS_BATCH_JOB_ARRAY_INDEX; 2 to 10,000. */
  readonly arraySize?: number;
  readonly dependsOn?: readonly string[];
}

export interface JobStatus {
  readonly id: string;
  readonly name: string;
  readonly state: JobState;
  readonly reason?: string;
  readonly exitCode?: number;
  /** Of its last try. */
  readonly logStream?: string;
  /** Milliseconds since the epoch. */
  readonly createdAt?: number;
  readonly startedAt?: number;
  readonly stoppedAt?: number;
  readonly attempts: number;
}

/** Where long work runs: containers on AWS Batch. */
export interface Jobs {
  /** Submitting is not idempotent: whoever must not submit twice claims the work in the ledger first. */
  submit(request: JobRequest): Promise<{ readonly id: string }>;
  /** Those that are known; an unknown id is left out. */
  describe(ids: readonly string[]): Promise<readonly JobStatus[]>;
  list(filter: { readonly state?: JobState; readonly name?: string }): AsyncIterable<JobStatus>;
  /** Ends a job, running or not; one that has ended already stays as it is. */
  cancel(id: string, reason: string): Promise<void>;
}
