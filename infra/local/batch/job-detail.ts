import type { Attempt, Dependency, Job, JobStatus } from "./job.ts";

/** How many children of an array are in each state. */
export type StatusSummary = Readonly<Record<JobStatus, number>>;

/** What a description takes from outside the job. */
export interface DetailContext {
  readonly queueArn: string;
  /** Of an array's parent. */
  readonly summary?: StatusSummary;
}

/**
 * A job as DescribeJobs answers it and as events carry it; undefined fields are absent once it is JSON.
 * @see https://docs.aws.amazon.com/batch/latest/APIReference/API_JobDetail.html
 */
export function jobDetail(job: Job, { queueArn, summary }: DetailContext): object {
  return {
    jobArn: job.arn,
    jobName: job.name,
    jobId: job.id,
    jobQueue: queueArn,
    status: job.status,
    attempts: job.attempts.map(attemptDetail),
    statusReason: job.statusReason,
    createdAt: job.createdAt,
    retryStrategy: {
      attempts: job.retryStrategy.attempts ?? 1,
      evaluateOnExit: job.retryStrategy.evaluateOnExit ?? [],
    },
    startedAt: job.startedAt,
    stoppedAt: job.stoppedAt,
    dependsOn: job.dependsOn.map(dependencyDetail),
    jobDefinition: job.definition,
    parameters: job.parameters,
    container: containerDetail(job),
    arrayProperties: arrayDetail(job, summary),
    timeout: job.timeout === null ? undefined : { attemptDurationSeconds: job.timeout },
    tags: job.tags,
    propagateTags: job.propagateTags,
    platformCapabilities: job.platformCapabilities,
    isCancelled: job.cancelled ?? false,
    isTerminated: job.terminated ?? false,
  };
}

/** @see https://docs.aws.amazon.com/batch/latest/APIReference/API_JobSummary.html */
export function jobSummary(job: Job): object {
  const last = job.attempts.at(-1);
  return {
    jobArn: job.arn,
    jobId: job.id,
    jobName: job.name,
    createdAt: job.createdAt,
    status: job.status,
    statusReason: job.statusReason,
    startedAt: job.startedAt,
    stoppedAt: job.stoppedAt,
    container: last === undefined ? undefined : { exitCode: last.exitCode, reason: last.reason },
    jobDefinition: job.definition,
    arrayProperties: arrayDetail(job),
  };
}

function attemptDetail({ startedAt, stoppedAt, statusReason, ...container }: Attempt): object {
  const { exitCode, reason, taskId, logStreamName } = container;
  return {
    container: { exitCode, reason, taskArn: taskId, logStreamName },
    startedAt,
    stoppedAt,
    statusReason,
  };
}

function containerDetail({ role, container, active, attempts }: Job): object | undefined {
  if (role.kind === "parent") return undefined;
  const last = active ?? attempts.at(-1);
  const ended = active === undefined ? attempts.at(-1) : undefined;
  return {
    ...container,
    exitCode: ended?.exitCode,
    reason: ended?.reason,
    taskArn: last?.taskId,
    logStreamName: last?.logStreamName,
    networkInterfaces: [],
  };
}

function arrayDetail({ role }: Job, summary?: StatusSummary): object | undefined {
  switch (role.kind) {
    case "single":
      return undefined;
    case "parent":
      return { size: role.size, statusSummary: summary };
    case "child":
      return { index: role.index };
  }
}

function dependencyDetail(dependency: Dependency): object {
  switch (dependency.type) {
    case "JOB":
      return { jobId: dependency.jobId };
    case "N_TO_N":
      return { jobId: dependency.jobId, type: "N_TO_N" };
    case "SEQUENTIAL":
      return { type: "SEQUENTIAL" };
  }
}
