import { createHash } from "node:crypto";
import type { EnvTask } from "../env/task.ts";

/** One attempt at one task. */
export interface EpisodePlan {
  /** `<task>.<attempt>`, safe as the name of a file and unique in its run. */
  readonly id: string;
  /** Place in the order of the run, from 0. */
  readonly index: number;
  readonly task: EnvTask;
  readonly taskId: string;
  /** From 0. */
  readonly attempt: number;
  readonly seed: number;
}

/** The tasks cannot be collected as they are given. */
export class CollectPlanError extends Error {
  override readonly name = "CollectPlanError";
}

/**
 * The episodes of a run: each task so many times, all attempts at a task together. A seed hangs on the run's seed, the
 * task's id and the attempt alone, so it stays the same when tasks are added, left out or put in another order.
 * @throws CollectPlanError where a task has no id, or two have the same
 */
export function planEpisodes(
  tasks: readonly EnvTask[],
  { attempts, seed }: { readonly attempts: number; readonly seed: number },
): readonly EpisodePlan[] {
  const seen = new Set<string>();
  return tasks.flatMap((task, place) => {
    const taskId = task.id ?? "";
    if (taskId === "") throw new CollectPlanError(`Task ${place + 1} has no id; give each one of its own`);
    if (seen.has(taskId)) {
      throw new CollectPlanError(`There are two tasks with the id "${taskId}"; give each one of its own`);
    }
    seen.add(taskId);
    return Array.from({ length: attempts }, (_, each) => ({
      id: `${fileName(taskId)}.${each}`,
      index: place * attempts + each,
      task,
      taskId,
      attempt: each,
      seed: episodeSeed({ seed, taskId, attempt: each }),
    }));
  });
}

/** In [0, 2³¹), which every provider takes. */
export function episodeSeed(of: {
  readonly seed: number;
  readonly taskId: string;
  readonly attempt: number;
}): number {
  const text = JSON.stringify(["gymline.episode-seed.v1", of.seed, of.taskId, of.attempt]);
  return createHash("sha256").update(text).digest().readUInt32BE() >>> 1;
}

const SAFE = /^[a-z0-9_][a-z0-9._-]{0,99}$/i;

/** Ids that are no names of files, or differ from one by their case alone on some disks, get a hash. */
function fileName(id: string): string {
  if (SAFE.test(id) && id === id.toLowerCase()) return id;
  const hash = createHash("sha256").update(id).digest("hex").slice(0, 8);
  return `${id
    .replace(/[^a-z0-9_-]+/gi, "-")
    .replace(/^-+/, "")
    .slice(0, 80)}-${hash}`;
}
