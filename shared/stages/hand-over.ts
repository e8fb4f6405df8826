import { createHash } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../ports/clock.ts";
import type { Jobs } from "../ports/jobs.ts";
import type { Ledger } from "../ports/ledger.ts";
import { changeRecord, readRecord } from "./ledger-record.ts";

/** Prefix of the ledger's records of jobs. */
export const JOB_RECORDS = "job/";

/** Who claims work but does not name its job within this time was stopped in between. */
const CLAIM_MS = 5 * 60_000;
/** Jobs that may fail on the same work before it is given up; each has its own retries on Batch. */
const MOST_JOBS = 3;

export const jobRecordSchema = z.strictObject({
  schema: z.literal("gymline.job.v1"),
  /** What it works on, for people who look. */
  work: z.string(),
  /** Absent while it is being submitted. */
  jobId: z.string().optional(),
  jobs: z.int(),
  /** Milliseconds since the epoch. */
  claimedAt: z.number(),
});

/** Work that jobs failed on again and again. */
export class JobsFailedError extends Error {
  override readonly name = "JobsFailedError";
  constructor(work: string, jobId: string) {
    super(`${MOST_JOBS} jobs failed on ${work}, the last one is ${jobId}; its log says why`);
  }
}

export interface HandOverPorts {
  readonly ledger: Ledger;
  readonly jobs: Jobs;
  readonly clock: Clock;
}

/** Work for a job. `identity` is equal for the same work, and different once there is something new to do. */
export interface Handover {
  readonly kind: "ingest" | "export";
  /** A key or name, for people. */
  readonly work: string;
  readonly identity: string;
  readonly command: readonly string[];
}

/**
 * Hands work over to a Batch job, once, however often it is called. A job that failed is followed by another, at most
 * three. Two may be submitted if a process is stopped just between claim and note; jobs may run twice like all else.
 * @throws JobsFailedError
 */
export async function handOver(
  handover: Handover,
  ports: HandOverPorts,
): Promise<{ readonly kind: "submitted" | "underway" | "succeeded"; readonly jobId: string | undefined }> {
  const { kind, work, identity, command } = handover;
  const { ledger, jobs, clock } = ports;
  const hash = createHash("sha256").update(identity).digest("hex").slice(0, 24);
  const key = `${JOB_RECORDS}${kind}/${hash}`;
  const found = await readRecord(ledger, key, jobRecordSchema);
  if (found !== undefined) {
    const { jobId, jobs: count, claimedAt } = found.value;
    if (jobId === undefined) {
      if (clock.now() - claimedAt < CLAIM_MS) return { kind: "underway", jobId };
    } else {
      const [status] = await jobs.describe([jobId]);
      if (status?.state === "SUCCEEDED") return { kind: "succeeded", jobId };
      if (status !== undefined && status.state !== "FAILED") return { kind: "underway", jobId };
      if (count >= MOST_JOBS) throw new JobsFailedError(work, jobId);
    }
  }
  const count = (found?.value.jobs ?? 0) + 1;
  const claim = { schema: "gymline.job.v1" as const, work, jobs: count, claimedAt: clock.now() };
  const stored = await ledger.put(key, JSON.stringify(claim), found?.version ?? 0);
  if (stored === "conflict") return { kind: "underway", jobId: undefined };
  const { id } = await jobs.submit({ name: `${kind}-${hash}-${count}`, command });
  await changeRecord({ ledger, key, schema: jobRecordSchema }, () => ({ ...claim, jobId: id }));
  return { kind: "submitted", jobId: id };
}
