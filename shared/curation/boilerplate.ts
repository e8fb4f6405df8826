import type { TrajectoryTrace } from "./trace.ts";

/** A unit that stands in this share of a set's tasks is boilerplate. */
export const BOILERPLATE_SHARE = 0.2;
/** In fewer tasks than these nothing is boilerplate. */
const LEAST_TASKS = 5;
/** Counters: 32 MiB with their marks, whatever the number of rows. */
const SLOTS = 1 << 22;

/**
 * Finds the units that stand verbatim in a large share of a set's tasks. Tasks are counted, not trajectories: many
 * attempts at one task share what they saw, and copies of one trajectory share all of it, which makes none of it
 * boilerplate. Units are counted in a table of fixed size; two that share a counter add up, which for a rare unit
 * amounts to (units of a task) / 2^22 of the tasks, far below the share.
 */
export function boilerplateOf(traces: readonly TrajectoryTrace[]): (unit: number) => boolean {
  const counts = new Uint32Array(SLOTS);
  const lastTask = new Uint32Array(SLOTS);
  let tasks = 0;
  let previous: number | undefined;
  for (const trace of groupedByTask(traces)) {
    if (trace.task !== previous) tasks += 1;
    previous = trace.task;
    for (const units of [trace.actions, trace.outputs]) {
      for (const unit of units) {
        const slot = unit & (SLOTS - 1);
        if (lastTask[slot] === tasks) continue;
        lastTask[slot] = tasks;
        counts[slot] = (counts[slot] ?? 0) + 1;
      }
    }
  }
  const limit = Math.max(LEAST_TASKS, BOILERPLATE_SHARE * tasks);
  return (unit) => (counts[unit & (SLOTS - 1)] ?? 0) >= limit;
}

/** In a function of its own, so that the traces do not live as long as what `boilerplateOf` gives. */
function groupedByTask(traces: readonly TrajectoryTrace[]): readonly TrajectoryTrace[] {
  return [...traces].sort((a, b) => a.task - b.task);
}
