import type { Exit } from "./executor.ts";
import type { ActiveAttempt, Attempt, Job, StopCause } from "./job.ts";
import { runsAgain } from "./retry-strategy.ts";

/** How an attempt ended, or why it never began. */
export type Ending = Exit | { readonly kind: "failed start"; readonly reason: string };

interface End {
  readonly ending: Ending;
  readonly now: number;
  /** Stands for the machine in the reason of a lost attempt. */
  readonly instance: string;
}

/**
 * A job after its attempt ended. Attempts that the user or a time-out ended are not tried again; those that failed
 * or were lost with their host are, as the retry strategy says. A job without an attempt stays as it is.
 * @see https://docs.aws.amazon.com/batch/latest/userguide/job_timeouts.html
 */
export function afterAttempt(job: Job, end: End): Job {
  const { active, ...rest } = job;
  if (active === undefined) return job;
  const attempt = attemptOf(active, end);
  const attempts = [...job.attempts, attempt];
  const ended = { ...rest, attempts, statusReason: attempt.statusReason };
  const { stop } = active;
  if (attempt.exitCode === 0 && stop === undefined) {
    return { ...ended, status: "SUCCEEDED", stoppedAt: end.now };
  }
  const mayRetry = stop === undefined || stop.kind === "host";
  if (mayRetry && runsAgain(job.retryStrategy, attempt, attempts.length)) {
    return { ...ended, status: "RUNNABLE" };
  }
  const terminated = stop?.kind === "terminated" ? { terminated: true } : {};
  return { ...ended, ...terminated, status: "FAILED", stoppedAt: end.now };
}

function attemptOf(active: ActiveAttempt, { ending, now, instance }: End): Attempt {
  const { taskId, logStreamName, startedAt, stop } = active;
  const common = { taskId, logStreamName, stoppedAt: now, ...(startedAt === undefined ? {} : { startedAt }) };
  // What was lost with its host, or taken from it, has no exit code to tell.
  if (ending.kind === "lost" || stop?.kind === "host") {
    return { ...common, statusReason: reasonOf(stop ?? { kind: "host" }, instance) };
  }
  const reason = ending.reason === undefined ? {} : { reason: ending.reason };
  if (ending.kind === "failed start") {
    const statusReason = stop === undefined ? "Task failed to start" : reasonOf(stop, instance);
    return { ...common, ...reason, statusReason };
  }
  const statusReason = stop === undefined ? "Essential container in task exited" : reasonOf(stop, instance);
  return { ...common, ...reason, exitCode: ending.exitCode, statusReason };
}

function reasonOf(stop: StopCause, instance: string): string {
  switch (stop.kind) {
    case "terminated":
      return stop.reason;
    case "timeout":
      return "Job attempt duration exceeded timeout";
    case "host":
      return `Host EC2 (instance ${instance}) terminated.`;
  }
}
