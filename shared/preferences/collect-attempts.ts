import type { TaskAttempts } from "./attempt.ts";
import { type AttemptEntry, AttemptTable } from "./attempt-table.ts";
import { Counts } from "./counts.ts";

export interface CollectedAttempts {
  /** By task, in the order of their keys; the attempts as they came. */
  readonly tasks: readonly TaskAttempts[];
  readonly trajectories: number;
  readonly leftOut: Readonly<Record<string, number>>;
}

/** Catalog entries by task, without their texts; see `AttemptTable` for what `layers` says. */
export async function collectAttempts(
  entries: AsyncIterable<AttemptEntry>,
  { layers }: { readonly layers: "same" | "any" } = { layers: "same" },
): Promise<CollectedAttempts> {
  const table = new AttemptTable({ layers });
  const leftOut = new Counts();
  let trajectories = 0;
  for await (const entry of entries) {
    trajectories += 1;
    const reason = table.add(entry);
    if (reason !== undefined) leftOut.add(reason);
  }
  return { tasks: [...table.tasks()], trajectories, leftOut: leftOut.record() };
}
