import type { DatasetRequest } from "../contracts/dataset-request.ts";
import { SelectedTrajectories, type SelectedTrajectory, Selector } from "../dataset/select.ts";
import { SplitKeys } from "../dataset/split.ts";
import { targetOf } from "../dataset/targets/targets.ts";
import { Counts } from "../preferences/counts.ts";
import { curate, isCurated, requestBeforeCuration } from "./curate.ts";
import { type DatasetPlan, type PlanPorts, SizeLimit, versionHash, versionText } from "./dataset-plan.ts";
import { trajectoryRows } from "./dataset-rows.ts";

/** Plans a dataset whose rows are made of one trajectory each, the best first. */
export async function planTrajectories(request: DatasetRequest, ports: PlanPorts): Promise<DatasetPlan> {
  const selector = new Selector(requestBeforeCuration(request), ports.clock.now());
  const splitKeys = new SplitKeys(request.split);
  const scope = request.project === undefined ? {} : { project: request.project };
  const size = new SizeLimit(request, ports);
  for await (const entry of ports.catalog.select({ ...scope, includeSuperseded: true })) {
    if (selector.offer(entry)) size.add(entry);
    splitKeys.note(entry);
  }
  const { considered } = selector;
  const { curated, settings, section, tokens } = await curatedRows(selector, { request, ports });
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
    rows: () =>
      trajectoryRows(selected, {
        target: request.target,
        excluded,
        ports,
        onRow: (done) => ports.onProgress?.(done, selected.length),
      }),
    facts: () => unscored(selected),
  };
}

/** Curation takes lists, and each trajectory of one some 400 bytes: without it, none is made. */
async function curatedRows(
  { selected, excluded, verdicts }: Selector,
  of: { readonly request: DatasetRequest; readonly ports: PlanPorts },
) {
  const list = isCurated(of.request) ? [...selected] : [];
  const { selected: kept, ...rest } = await curate({ selected: list, excluded, verdicts }, of);
  return { ...rest, curated: isCurated(of.request) ? new SelectedTrajectories(kept) : selected };
}

/** How many rows have no score, since it did not come before the deadline. */
function unscored(selected: SelectedTrajectories): { readonly unscored?: number } {
  const count = countOf(selected, ({ scorer }) => scorer === null);
  return count === 0 ? {} : { unscored: count };
}

/** Good and bad examples teach only beside each other: a set of one kind is none. */
function withTwoSides(
  selected: SelectedTrajectories,
  { request, excluded }: { readonly request: DatasetRequest; readonly excluded: Counts },
): SelectedTrajectories {
  if (targetOf(request.target).kind !== "kto") return selected;
  const good = countOf(selected, ({ success }) => success === true);
  if (good > 0 && good < selected.length) return selected;
  excluded.add("all labels are the same", selected.length);
  return new SelectedTrajectories();
}

function countOf(rows: SelectedTrajectories, is: (row: SelectedTrajectory) => boolean): number {
  let count = 0;
  for (const row of rows) if (is(row)) count += 1;
  return count;
}
