import { MissingSecretError } from "./errors.ts";
import type { ActiveAttempt, Job } from "./job.ts";

/**
 * The variables of an attempt: those given to the runner, then the definition's and the submission's, then
 * Batch's own, each over the ones before. Secrets come from the variables given to the runner.
 * @throws MissingSecretError
 * @see https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html
 */
export function attemptEnvironment(
  job: Job,
  active: ActiveAttempt,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  for (const { name } of job.container.secrets) {
    if (given[name] === undefined) throw new MissingSecretError(name);
  }
  const array: Readonly<Record<string, string>> =
    job.role.kind === "child"
      ? {
          AWS_BATCH_JOB_ARRAY_INDEX: String(job.role.index),
          AWS_BATCH_JOB_ARRAY_SIZE: String(job.role.size),
        }
      : {};
  return {
    ...given,
    ...Object.fromEntries(job.container.environment.map(({ name, value }) => [name, value])),
    ...array,
    AWS_BATCH_JOB_ID: job.id,
    AWS_BATCH_JOB_ATTEMPT: String(job.attempts.length + 1),
    AWS_BATCH_JQ_NAME: job.queue,
    AWS_BATCH_CE_NAME: active.computeEnvironment,
  };
}
