import type { DatasetRequest } from "../contracts/dataset-request.ts";
import { type SelectedTrajectory, Selector } from "../dataset/select.ts";
import { SplitKeys } from "../dataset/split.ts";
import { targetOf } from "../dataset/targets/targets.ts";
import { Counts } from "../preferences/counts.ts";
import { curate, requestBeforeCuration } from "./curate.ts";
import { checkSize, type DatasetPlan, type PlanPorts, versionHash, versionText } from "./dataset-plan.ts";
import { trajectoryRows } from "./dataset-rows.ts";

/** Plans a dataset whose rows are made of one trajectory each, the best first. */
export async function planTrajectories(request: DatasetRequest, ports: PlanPorts): Promise<DatasetPlan> {
  const selector = new Selector(requestBeforeCuration(request), ports.clock.now());
  const splitKeys = new SplitKeys(request.split);
  const scope = request.project === undefined ? {} : { project: request.project };
  for await (const entry of ports.catalog.select({ ...scope, includeSuperseded: true })) {
    selector.offer(entry);
    splitKeys.note(entry);
  }
  const { considered } = selector;
  checkSize(selector.selected.length, { request, ports });
  const { selected: curated, settings, section, tokens } = await curate(selector, { request, ports });
  const excluded = new Counts();
  excluded.merge(selector.excluded);
  const selected = withTwoSides(curated, { request, excluded });
  const hash = versionHash(request.target, settings);
  for (const { id, revision, scorer } of selected) hash.update(`\n${id} ${revision} ${scorer}`);
  return {
    version: versionText(hash),
    settings,
    ...(section === undefined ? {} : { curation: section }),
    ...(tokens === undefined ? {} : { tokens }),
    considered,
    trajectories: selected.length,
    excluded,
    splitKey: (task) => splitKeys.of(task),
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
