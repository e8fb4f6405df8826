import { setTimeout as pause } from "node:timers/promises";
import type { JobStatus, Jobs } from "../../shared/ports/jobs.ts";
import { UsageError } from "./usage-error.ts";

const EVERY_MS = 10_000;

/**
 * Asks after a job until it has ended, and says each change of its state.
 * @throws UsageError where Batch no longer knows it
 */
export async function followJob(
  id: string,
  {
    jobs,
    say,
    everyMs = EVERY_MS,
  }: {
    readonly jobs: Pick<Jobs, "describe">;
    readonly say: (line: string) => void;
    readonly everyMs?: number;
  },
): Promise<JobStatus> {
  let last = "";
  for (;;) {
    const [job] = await jobs.describe([id]);
    if (job === undefined) throw new UsageError(`Batch knows no job ${id}: it ended more than a week ago`);
    const line = `${job.state}${job.attempts === 0 ? "" : `, after ${job.attempts} ${job.attempts === 1 ? "try" : "tries"}`}`;
    if (line !== last) say(line);
    last = line;
    if (job.state === "SUCCEEDED" || job.state === "FAILED") return job;
    await pause(everyMs);
  }
}
