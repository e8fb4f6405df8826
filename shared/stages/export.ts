import { CompactRows } from "../columns/compact-rows.ts";
import type { DatasetRequest } from "../contracts/dataset-request.ts";
import { datasetPrefix } from "../contracts/keys.ts";
import { datasetCard } from "../dataset/card.ts";
import { type DatasetFacts, MANIFEST_SCHEMA, type Manifest } from "../dataset/manifest.ts";
import type { PlotRenderer } from "../dataset/quality/plots.ts";
import { checksFound, qualityFiles } from "../dataset/quality/quality-files.ts";
import { QualityRun } from "../dataset/quality/quality-run.ts";
import { splitOf } from "../dataset/split.ts";
import { Tally } from "../dataset/tally.ts";
import { filesBeside } from "../dataset/targets/files-beside.ts";
import { targetOf } from "../dataset/targets/targets.ts";
import type { DatasetRecord, Fence } from "../ports/catalog.ts";
import { VERSION } from "../version.ts";
import { BesideFiles } from "./beside-files.ts";
import { DatasetFiles } from "./dataset-files.ts";
import { InputsFile } from "./dataset-inputs.ts";
import type { DatasetPlan, PlanPorts } from "./dataset-plan.ts";
import { planGroups } from "./plan-groups.ts";
import { planTrajectories } from "./plan-trajectories.ts";
import { manifestKey, readManifest } from "./stored-manifest.ts";

/** With `rows`, what was rendered already need not be again; the dataset is the same, byte for byte. */
export interface ExportPorts extends PlanPorts {
  /** Asked for just before the dataset is registered, which happens only if it still holds. */
  readonly fence?: () => Promise<Fence>;
  /** Draws the plots of the card; without it there are none. */
  readonly plots?: PlotRenderer;
  /** Commit of the running program, for the manifest. */
  readonly commit?: string | undefined;
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
 * @throws DatasetCheckError where the rows fail a check; nothing of the version is left then
 */
export async function exportDataset(request: DatasetRequest, ports: ExportPorts): Promise<ExportResult> {
  const isSingle = targetOf(request.target).unit === "trajectory";
  const plan = await (isSingle ? planTrajectories(request, ports) : planGroups(request, ports));
  const { considered, excluded } = plan;
  if (plan.trajectories === 0) return emptyResult(plan);
  const version = plan.version;
  const prefix = datasetPrefix(request.name, version);
  // One that is written but not registered was left by a killed export: written again, it comes out the same.
  const registered = await ports.catalog.hasDataset(request.name, version);
  const known = registered ? await readManifest({ name: request.name, version }, ports.store) : undefined;
  if (known !== undefined) return { kind: "unchanged", prefix, manifest: known };
  const target = targetOf(request.target);
  const files = new DatasetFiles(
    { prefix, store: ports.store },
    {
      format: request.files ?? target.files,
      columns: target.columns,
      encode: (lines) => ports.compute.rowGroup({ lines, target: request.target }),
      shardRows: request.shardRows,
      keepTasksTogether: target.unit === "group",
    },
  );
  const place = { prefix, store: ports.store };
  const inputs = await InputsFile.open({ ...place, unit: target.unit });
  const quality = new QualityRun(request, plan.tokens);
  let manifest: Manifest;
  let dataset: DatasetRecord;
  try {
    const { registry, statistics } = await writeRows(plan, {
      request,
      files,
      inputs,
      quality,
    });
    if (registry.length === 0) {
      await files.abort();
      await inputs.abort();
      return emptyResult(plan);
    }
    // Rows that fail their checks never become files, which not everybody who writes may remove again.
    const report = quality.finish(version);
    const written = await files.finish();
    const { plots, files: qualityBeside } = await qualityFiles(report, ports.plots);
    const facts: DatasetFacts = {
      schema: MANIFEST_SCHEMA,
      name: request.name,
      version,
      format: target.format,
      rows: written.reduce((sum, file) => sum + file.rows, 0),
      files: written,
      inputs: await inputs.finish(),
      settings: plan.settings,
      seed: request.split.seed,
      selection: { considered, selected: registry.length, excluded: excluded.record(), ...plan.facts() },
      ...(plan.curation === undefined ? {} : { curation: plan.curation }),
      ...checksFound(report),
      statistics,
    };
    const { target: id, card: settings } = request;
    const card = datasetCard(facts, { target: id, quality: report, plots, settings });
    const beside = new BesideFiles(place);
    for (const { name, text } of [...filesBeside(id, facts), ...qualityBeside]) await beside.put(name, text);
    await beside.put("README.md", card);
    const made_by = { tool: "gymline", version: VERSION, commit: ports.commit ?? null } as const;
    manifest = { ...facts, beside: beside.written, made_by };
    await ports.store.put(
      manifestKey({ name: request.name, version }),
      Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`),
    );
    dataset = { name: request.name, version, format: manifest.format, rows: registry };
  } catch (error) {
    await files.abort();
    await inputs.abort();
    throw error;
  }
  // What has its manifest is whole and stays: who holds the lease by now may have written the same.
  await ports.catalog.registerDataset(dataset, await ports.fence?.());
  return { kind: "written", prefix, manifest };
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
  plan: DatasetPlan,
  to: {
    readonly request: DatasetRequest;
    readonly files: DatasetFiles;
    readonly inputs: InputsFile;
    readonly quality: QualityRun;
  },
): Promise<{ readonly registry: DatasetRecord["rows"]; readonly statistics: Manifest["statistics"] }> {
  const { request } = to;
  const tally = new Tally(plan.tokens);
  const registry = new CompactRows(REGISTERED);
  for await (const made of plan.rows()) {
    const split = splitOf(plan.splitKey(made.task), request.split);
    for (const { id, facts } of await to.inputs.add(made, split)) {
      tally.add({ ...facts, tokens: plan.tokens?.of.get(id) ?? facts.tokens });
      to.quality.addTrajectory(split, facts);
      registry.push({ id, split });
    }
    to.quality.addRow({ split, ...made });
    await to.files.write(split, made.task, made.line);
  }
  return { registry, statistics: tally.statistics() };
}
