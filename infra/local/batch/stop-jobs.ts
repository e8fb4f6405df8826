import { ClientException } from "./errors.ts";
import { isOver, isWaiting, type Job } from "./job.ts";
import type { JobTable } from "./job-table.ts";
import { parseRequest, stopJobSchema } from "./requests.ts";
import type { Scheduler } from "./scheduler.ts";

interface Setting {
  readonly table: JobTable;
  readonly scheduler: Scheduler;
  readonly now: () => number;
}

/**
 * Cancels a job that has not started, or such children of an array. What runs goes on; the request succeeds.
 * @throws ClientException for an unknown job
 */
export function cancelJob(setting: Setting, body: unknown): object {
  const { jobId, reason } = parseRequest(stopJobSchema, body);
  const mark = { cancelled: true, statusReason: reason };
  setting.table.together(() => {
    for (const job of targets(setting.table, jobId, mark)) if (isWaiting(job)) fail(setting, job, mark);
  });
  setting.scheduler.poke();
  return {};
}

/**
 * Ends a job whatever its state, or all children of an array; what has not started is cancelled.
 * @throws ClientException for an unknown job
 */
export function terminateJob(setting: Setting, body: unknown): object {
  const { jobId, reason } = parseRequest(stopJobSchema, body);
  const mark = { terminated: true, statusReason: reason };
  setting.table.together(() => {
    for (const job of targets(setting.table, jobId, mark)) {
      if (isWaiting(job)) fail(setting, job, mark);
      else setting.scheduler.stop(job.id, { kind: "terminated", reason });
    }
  });
  setting.scheduler.poke();
  return {};
}

type Mark = Pick<Job, "cancelled" | "terminated" | "statusReason">;

/** The jobs that a request is about. An array's parent keeps the reason until its last child has ended. */
function targets(table: JobTable, id: string, mark: Mark): readonly Job[] {
  const job = table.get(id);
  if (job === undefined) throw new ClientException(`Job ${id} does not exist`);
  if (job.role.kind !== "parent") return [job];
  if (!isOver(job)) table.update(id, (parent) => ({ ...parent, ...mark }));
  return table.children(id);
}

function fail({ table, now }: Setting, { id }: Job, mark: Mark): void {
  table.update(id, (job) => ({ ...job, ...mark, status: "FAILED", stoppedAt: now() }));
}
