import type { DatasetRequest } from "../contracts/dataset-request.ts";
import { type SelectedTrajectory, Selector } from "../dataset/select.ts";
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
  const { selected, considered } = selector;
  const excluded = new Counts();
  excluded.merge(selector.excluded);
  const hash = versionHash(request);
  for (const { id, revision, scorer } of selected) hash.update(`\n${id} ${revision} ${scorer}`);
  return {
    version: versionText(hash),
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
