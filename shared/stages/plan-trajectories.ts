import type { DatasetRequest } from "../contracts/dataset-request.ts";
import { type SelectedTrajectory, Selector } from "../dataset/select.ts";
import { targetOf } from "../dataset/targets/targets.ts";
import type { Catalog } from "../ports/catalog.ts";
import type { Clock } from "../ports/clock.ts";
import { Counts } from "../preferences/counts.ts";
import { type DatasetPlan, versionHash, versionText } from "./dataset-plan.ts";
import { type RowPorts, trajectoryRows } from "./dataset-rows.ts";

/** Plans a dataset whose rows are made of one trajectory each, the best first. */
export async function planTrajectories(
  request: DatasetRequest,
  ports: RowPorts & { readonly catalog: Catalog; readonly clock: Clock },
): Promise<DatasetPlan> {
  const selector = new Selector(request, ports.clock.now());
  const scope = request.project === undefined ? {} : { project: request.project };
  for await (const entry of ports.catalog.select({ ...scope, includeSuperseded: true }))
    selector.offer(entry);
  const { considered } = selector;
  const excluded = new Counts();
  excluded.merge(selector.excluded);
  const selected = withTwoSides(selector.selected, { request, excluded });
  const settings = { ...request };
  const hash = versionHash(request.target, settings);
  for (const { id, revision, scorer } of selected) hash.update(`\n${id} ${revision} ${scorer}`);
  return {
    version: versionText(hash),
    settings,
    considered,
    trajectories: selected.length,
    excluded,
    rows: () => trajectoryRows(selected, { target: request.target, excluded, ports }),
    facts: () => unscored(selected),
  };
}

/** How many rows have no score, since it did not come before the deadline. */
function unscored(selected: readonly SelectedTrajectory[]): { readonly unscored?: number } {
  const count = selected.filter(({ scorer }) => scorer === null).length;
  return count === 0 ? {} : { unscored: count };
}

/** Good and bad examples teach only beside each other: a set of one kind is none. */
function withTwoSides(
  selected: readonly SelectedTrajectory[],
  { request, excluded }: { readonly request: DatasetRequest; readonly excluded: Counts },
): readonly SelectedTrajectory[] {
  if (targetOf(request.target).kind !== "kto") return selected;
  const good = selected.filter(({ success }) => success === true).length;
  if (good > 0 && good < selected.length) return selected;
  excluded.add("all labels are the same", selected.length);
  return [];
}
