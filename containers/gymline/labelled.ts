import type { LocalStore } from "../../shared/adapters/local/local-store.ts";
import type { LabelledTrajectory } from "../../shared/calibration/label-rows.ts";
import { type Label, labelSchema } from "../../shared/contracts/label.ts";
import type { ObjectStore } from "../../shared/ports/object-store.ts";
import { readStored } from "../../shared/stages/stored-json.ts";
import { loadScore } from "./store-access.ts";

export interface Labelled {
  readonly trajectories: readonly LabelledTrajectory[];
  /** Labelled trajectories that the store does not hold (any more). */
  readonly absent: number;
}

/** All labelled trajectories of a store with their current scores, grouped by task or by repository. */
export async function readLabelled(local: LocalStore, groupBy: "task" | "repo"): Promise<Labelled> {
  const byTrajectory = Map.groupBy(await readLabels(local.store), (label) => label.trajectory_id);
  const trajectories: LabelledTrajectory[] = [];
  for (const [id, labels] of byTrajectory) {
    const entry = await local.catalog.entry(id);
    if (entry === undefined) continue;
    const document = await loadScore(local.store, id, entry.scorer);
    const group = groupBy === "task" ? entry.taskKey : entry.repo;
    trajectories.push({ id, group, labels, document });
  }
  return { trajectories, absent: byTrajectory.size - trajectories.length };
}

async function readLabels(store: ObjectStore): Promise<readonly Label[]> {
  const labels: Label[] = [];
  for await (const { key } of store.list("labels/")) {
    const label = await readStored(key, labelSchema, store);
    if (label !== undefined) labels.push(label);
  }
  return labels;
}
