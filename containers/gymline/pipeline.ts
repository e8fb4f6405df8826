import { availableParallelism } from "node:os";
import { InlineCompute } from "../../shared/adapters/local/compute-inline.ts";
import { ComputePool } from "../../shared/adapters/local/compute-pool.ts";
import { taskSettings } from "../../shared/adapters/local/task-settings.ts";
import type { PipelinePlan } from "../../shared/contracts/pipeline-plan.ts";
import type { Compute } from "../../shared/ports/compute.ts";
import type { TaskSettings } from "../../shared/stages/compute-tasks.ts";
import { UsageError } from "./usage-error.ts";

/** Settings for this thread and the threads that compute; `threads` 0 computes in this one. */
export async function startCompute(
  plan: PipelinePlan,
  threads: number,
): Promise<{ readonly settings: TaskSettings; readonly compute: Compute }> {
  const settings = await taskSettings(plan);
  const compute = threads === 0 ? new InlineCompute(settings) : new ComputePool({ plan, threads });
  return { settings, compute };
}

/** Reads `--jobs`; by default one thread per core. */
export function threadCount(value: string | undefined): number {
  if (value === undefined) return availableParallelism();
  const count = Number(value);
  if (!Number.isInteger(count) || count < 0 || count > 256) {
    throw new UsageError(`--jobs takes a whole number from 0 to 256, not "${value}"`);
  }
  return count;
}
