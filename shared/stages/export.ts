import { CompactRows } from "../columns/compact-rows.ts";
import type { DatasetRequest } from "../contracts/dataset-request.ts";
import { datasetPrefix } from "../contracts/keys.ts";
import { datasetCard } from "../dataset/card.ts";
import { type Manifest, manifestSchema } from "../dataset/manifest.ts";
import { splitOf } from "../dataset/split.ts";
import { Tally } from "../dataset/tally.ts";
import { filesBeside } from "../dataset/targets/files-beside.ts";
import { targetOf } from "../dataset/targets/targets.ts";
import type { DatasetRecord, Fence } from "../ports/catalog.ts";
import { DatasetFiles } from "./dataset-files.ts";
import type { DatasetPlan, PlanPorts } from "./dataset-plan.ts";
import type { MadeRow } from "./dataset-rows.ts";
import { planGroups } from "./plan-groups.ts";
import { planTrajectories } from "./plan-trajectories.ts";

/** With `rows`, what was rendered already need not be again; the dataset is the same, byte for byte. */
export interface ExportPorts extends PlanPorts {
  /** Asked for just before the dataset is registered, which happens only if it still holds. */
  readonly fence?: () => Promise<Fence>;
}

export type ExportResult =
  | {
      readonly kind: "written" | "unchanged";
      readonly prefix: string;
      readonly manifest: Manifest;
    }
  /** No trajectory passed the selection, or none makes a row; nothing was written. */
  | {
      readonly kind: "empty";
      readonly considered: number;
      readonly excluded: Readonly<Record<string, number>>;
      readonly pairsLeftOut?: Readonly<Record<string, number>>;
      readonly tasksLeftOut?: Readonly<Record<string, number>>;
    };

/**
 * Selects, splits and writes one dataset version. The version follows from the settings and the selected documents
 * and scores, so the same selection is written once, whoever asks; the manifest is written last.
 */
export async function exportDataset(request: DatasetRequest, ports: ExportPorts): Promise<ExportResult> {
  const isSingle = targetOf(request.target).unit === "trajectory";
  const plan = await (isSingle ? planTrajectories(request, ports) : planGroups(request, ports));
  const { considered, excluded } = plan;
  if (plan.trajectories === 0) return emptyResult(plan);
  const version = plan.version;
  const prefix = datasetPrefix(request.name, version);
  const manifestKey = `${prefix}manifest.json`;
  // One that is written but not registered was left by a killed export: written again, it comes out the same.
  const registered = await ports.catalog.hasDataset(request.name, version);
  if (registered && (await ports.store.exists(manifestKey))) {
    const text = Buffer.from(await ports.store.read(manifestKey)).toString("utf8");
    return { kind: "unchanged", prefix, manifest: manifestSchema.parse(JSON.parse(text)) };
  }
  const target = targetOf(request.target);
  const files = new DatasetFiles(
    { prefix, store: ports.store },
    {
      format: request.files ?? target.files,
      columns: target.columns,
      shardRows: request.shardRows,
      keepTasksTogether: target.unit === "group",
    },
  );
  try {
    const { registry, statistics } = await writeRows(plan.rows(), { request, files });
    if (registry.length === 0) {
      await files.abort();
      return emptyResult(plan);
    }
    const written = await files.finish();
    const rows = written.reduce((sum, file) => sum + file.rows, 0);
    const manifest: Manifest = {
      schema: "gymline.dataset.v1",
      name: request.name,
      version,
      format: target.format,
      rows,
      files: written,
      settings: plan.settings,
      selection: { considered, selected: registry.length, excluded: excluded.record(), ...plan.facts() },
      ...(plan.curation === undefined ? {} : { curation: plan.curation }),
      statistics,
    };
    for (const { name, text } of filesBeside(request.target, manifest)) {
      await ports.store.put(prefix + name, Buffer.from(text));
    }
    await ports.store.put(`${prefix}README.md`, Buffer.from(datasetCard(manifest, request.target)));
    await ports.store.put(manifestKey, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
    const dataset = { name: request.name, version, format: manifest.format, rows: registry };
    await ports.catalog.registerDataset(dataset, await ports.fence?.());
    return { kind: "written", prefix, manifest };
  } catch (error) {
    await files.abort();
    throw error;
  }
}

function emptyResult({ considered, excluded, facts }: DatasetPlan): ExportResult {
  const { pairs_left_out: pairsLeftOut, tasks_left_out: tasksLeftOut } = facts();
  return {
    kind: "empty",
    considered,
    excluded: excluded.record(),
    ...(pairsLeftOut === undefined ? {} : { pairsLeftOut }),
    ...(tasksLeftOut === undefined ? {} : { tasksLeftOut }),
  };
}

/** What the catalog is told of each trajectory: 36 bytes until all are written. */
const REGISTERED = { id: "digest", split: "text" } as const;

/** Writes the rows as they come; gives the trajectories that stand in them, each once with its split. */
async function writeRows(
  rows: AsyncIterable<MadeRow>,
  { request, files }: { readonly request: DatasetRequest; readonly files: DatasetFiles },
): Promise<{ readonly registry: DatasetRecord["rows"]; readonly statistics: Manifest["statistics"] }> {
  const tally = new Tally();
  const registry = new CompactRows(REGISTERED);
  // Rows of one task follow each other, so one task's ids are all that may come again.
  let task: string | undefined;
  let seen = new Set<string>();
  for await (const made of rows) {
    if (made.task !== task) {
      task = made.task;
      seen = new Set();
    }
    const split = splitOf(made.task, request.split);
    for (const { id, facts } of made.members) {
      if (seen.has(id)) continue;
      seen.add(id);
      tally.add(facts);
      registry.push({ id, split });
    }
    await files.write(split, made.task, made.line);
  }
  return { registry, statistics: tally.statistics() };
}
