import type { Container } from "./container.ts";
import type { RetryStrategy } from "./retry-strategy.ts";

export const JOB_STATUSES = [
  "SUBMITTED",
  "PENDING",
  "RUNNABLE",
  "STARTING",
  "RUNNING",
  "SUCCEEDED",
  "FAILED",
] as const;

export type JobStatus = (typeof JOB_STATUSES)[number];

/** A job that others wait for; by index within arrays, or each index for the one before it. */
export type Dependency =
  | { readonly type: "JOB"; readonly jobId: string }
  | { readonly type: "N_TO_N"; readonly jobId: string }
  | { readonly type: "SEQUENTIAL" };

/** A job's place in an array, if it has one. */
export type ArrayRole =
  | { readonly kind: "single" }
  | { readonly kind: "parent"; readonly size: number }
  | { readonly kind: "child"; readonly parent: string; readonly index: number; readonly size: number };

/** Why the runner ends an attempt itself; kept with the job, so that a restart does not forget it. */
export type StopCause =
  | { readonly kind: "terminated"; readonly reason: string }
  | { readonly kind: "timeout" }
  | { readonly kind: "host" };

/** An attempt that ended. Times are Unix times in milliseconds. */
export interface Attempt {
  readonly exitCode?: number;
  readonly reason?: string;
  readonly statusReason: string;
  readonly startedAt?: number;
  readonly stoppedAt: number;
  readonly taskId: string;
  readonly logStreamName: string;
}

/** The attempt that is under way. */
export interface ActiveAttempt {
  readonly taskId: string;
  readonly logStreamName: string;
  readonly computeEnvironment: string;
  readonly startedAt?: number;
  /** How the executor finds the attempt again after a restart. */
  readonly handle?: string;
  readonly stop?: StopCause;
}

export interface Job {
  readonly id: string;
  readonly arn: string;
  readonly name: string;
  readonly queue: string;
  readonly definition: string;
  readonly role: ArrayRole;
  readonly dependsOn: readonly Dependency[];
  readonly container: Container;
  readonly parameters: Readonly<Record<string, string>>;
  readonly retryStrategy: RetryStrategy;
  /** Seconds an attempt may run. */
  readonly timeout: number | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly propagateTags: boolean;
  readonly platformCapabilities: readonly string[];
  readonly status: JobStatus;
  readonly statusReason?: string;
  readonly cancelled?: boolean;
  readonly terminated?: boolean;
  readonly attempts: readonly Attempt[];
  readonly active?: ActiveAttempt;
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly stoppedAt?: number;
}

export function isOver({ status }: Pick<Job, "status">): boolean {
  return status === "SUCCEEDED" || status === "FAILED";
}

/** Whether it has not started yet, so that it can be cancelled. */
export function isWaiting({ status }: Pick<Job, "status">): boolean {
  return status === "SUBMITTED" || status === "PENDING" || status === "RUNNABLE";
}

export function childId(parent: string, index: number): string {
  return `${parent}:${index}`;
}
