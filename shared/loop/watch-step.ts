import type { LoopPolicy, LoopRun, LoopStep, LoopStepName } from "../contracts/loop.ts";
import type { Clock } from "../ports/clock.ts";
import type { JobStatus, Jobs } from "../ports/jobs.ts";
import { HOUR_MS } from "./admit.ts";
import { NEW_STEP } from "./loop-record.ts";

/** Who claims a step but does not name its job within this time was stopped in between. */
const CLAIM_MS = 5 * 60_000;

/** What is to be done about a step. `claim`: it is to be submitted by whoever wins the claim. */
export type StepMove =
  | { readonly kind: "rest" }
  | { readonly kind: "claim" | "again"; readonly step: LoopStep }
  | { readonly kind: "ended"; readonly step: LoopStep & { readonly ended: "succeeded" | "failed" } };

/**
 * Looks after a job: whether it must be submitted (again), has ended, takes too long or is lost. What it is told by
 * events is only when to look; what counts is what Batch says of the job, of an array its parent.
 */
export async function watchStep(
  name: LoopStepName,
  of: {
    readonly run: LoopRun;
    readonly policy: LoopPolicy;
    readonly jobs: Pick<Jobs, "describe" | "cancel">;
    readonly clock: Clock;
    /** See `LoopPorts`. */
    readonly isAlone?: boolean | undefined;
    /** Whether the work of a job that is no longer known is done. */
    readonly isDone: () => Promise<boolean>;
  },
): Promise<StepMove> {
  const { run, policy, jobs, clock } = of;
  const step = run.steps[name] ?? NEW_STEP;
  if (step.ended !== null) return { kind: "rest" };
  const limits = name === "train" ? policy.training : policy.evaluation;
  const now = clock.now();
  if (step.job === null) {
    const tries = of.isAlone === true && step.claimed_at !== null ? step.tries - 1 : step.tries;
    if (step.claimed_at !== null && of.isAlone !== true && now - step.claimed_at < CLAIM_MS) {
      return { kind: "rest" };
    }
    if (tries >= limits.tries) return ended(step, "failed", `${tries} jobs could not be submitted`);
    return { kind: "claim", step: { ...step, claimed_at: now, tries: tries + 1 } };
  }
  const again = (reason: string, status?: JobStatus): StepMove => {
    const after = { ...step, hours: hoursOf(step, status), reason };
    if (step.tries >= limits.tries) return ended(after, "failed", reason);
    return { kind: "again", step: { ...after, job: null, claimed_at: null } };
  };
  const [status] = await jobs.describe([step.job]);
  if (status === undefined) {
    if (await of.isDone()) return ended(step, "succeeded", null);
    if (of.isAlone === true) {
      return { kind: "again", step: { ...step, job: null, claimed_at: null, tries: step.tries - 1 } };
    }
    return again(`Batch no longer knows the job ${step.job}`);
  }
  if (status.state === "SUCCEEDED")
    return ended({ ...step, hours: hoursOf(step, status) }, "succeeded", null);
  if (status.state === "FAILED")
    return again(`the job ${status.id} failed: ${status.reason ?? "no reason given"}`, status);
  const late =
    status.startedAt === undefined
      ? now - (step.claimed_at ?? now) > limits.queueHours * HOUR_MS
        ? `the job ${status.id} waited ${limits.queueHours} hours for a machine`
        : undefined
      : now - status.startedAt > limits.hours * HOUR_MS
        ? `the job ${status.id} took longer than ${limits.hours} hours`
        : undefined;
  if (late === undefined) return { kind: "rest" };
  await jobs.cancel(status.id, late);
  return ended({ ...step, hours: hoursOf(step, { ...status, stoppedAt: now }) }, "failed", late);
}

function ended(step: LoopStep, outcome: "succeeded" | "failed", reason: string | null): StepMove {
  return { kind: "ended", step: { ...step, ended: outcome, reason } };
}

/** With those of the tries before. */
function hoursOf(step: LoopStep, status: JobStatus | undefined): number | null {
  if (status?.startedAt === undefined || status.stoppedAt === undefined) return step.hours;
  return (step.hours ?? 0) + Math.max(0, status.stoppedAt - status.startedAt) / HOUR_MS;
}
