import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { InlineCompute } from "../../shared/adapters/local/compute-inline.ts";
import { type RunSummary, runDrop } from "../../shared/adapters/local/embedded-run.ts";
import { type LocalStore, openForWriting } from "../../shared/adapters/local/local-store.ts";
import { taskSettings } from "../../shared/adapters/local/task-settings.ts";
import type { CatalogEntry } from "../../shared/contracts/catalog-row.ts";
import { type DatasetRequest, datasetRequestSchema } from "../../shared/contracts/dataset-request.ts";
import { trajectoryKey } from "../../shared/contracts/keys.ts";
import type { PipelinePlan } from "../../shared/contracts/pipeline-plan.ts";
import type { Selection } from "../../shared/ports/catalog.ts";
import { unpackDocument } from "../../shared/stages/document-file.ts";
import { type ExportPorts, type ExportResult, exportDataset } from "../../shared/stages/export.ts";
import { type Forgetting, forget } from "../../shared/stages/forget.ts";
import type { IngestReport } from "../../shared/stages/ingest.ts";
import { type Trajectory, trajectorySchema } from "../../shared/trajectory/schema.ts";
import { makePlan } from "./plan.ts";
import { temporaryFolder } from "./temporary.ts";

export interface StationRun {
  readonly summary: RunSummary;
  readonly reports: readonly IngestReport[];
}

/** A drop folder and a store in temporary folders, with the real stages and local adapters between them. */
export interface Station {
  readonly drop: string;
  /** Of the store. */
  readonly folder: string;
  readonly local: LocalStore;
  write(path: string, content: string | Uint8Array): void;
  erase(path: string): void;
  run(plan?: Partial<PipelinePlan>, options?: { readonly force?: boolean }): Promise<StationRun>;
  export(
    request?: Partial<DatasetRequest>,
    ports?: Pick<ExportPorts, "evaluations" | "tokenizers" | "plots"> & Partial<Pick<ExportPorts, "compute">>,
  ): Promise<ExportResult>;
  forget(id: string): Promise<Forgetting>;
  select(selection?: Selection): Promise<readonly CatalogEntry[]>;
  /** Task ids of what is selected, sorted. */
  tasks(selection?: Selection): Promise<readonly (string | null)[]>;
  document(id: string, revision?: string): Promise<Trajectory>;
  text(key: string): Promise<string>;
  keys(prefix?: string): Promise<readonly string[]>;
}

/** The clock of the station moves on by a second at each look. */
export function makeStation(): Station {
  const drop = temporaryFolder("drop");
  let now = Date.UTC(2026, 0, 1);
  const clock = { now: () => (now += 1000) };
  const folder = temporaryFolder("store");
  const local = openForWriting(folder, clock);
  onTestFinished(() => local.close());
  const { store, catalog } = local;
  const bytesOf = async (key: string): Promise<Buffer> => Buffer.from(await store.read(key));
  const select = async (selection: Selection = {}): Promise<readonly CatalogEntry[]> => {
    const entries: CatalogEntry[] = [];
    for await (const entry of catalog.select(selection)) entries.push(entry);
    return entries;
  };
  return {
    drop,
    folder,
    local,
    select,
    write: (path, content) => {
      mkdirSync(dirname(join(drop, path)), { recursive: true });
      writeFileSync(join(drop, path), content);
    },
    erase: (path) => rmSync(join(drop, path)),
    run: async (plan = {}, options = {}) => {
      const settings = await taskSettings(makePlan(plan));
      const compute = new InlineCompute(settings);
      const reports: IngestReport[] = [];
      const onObject = (report: IngestReport): void => void reports.push(report);
      const { ingest } = settings;
      const summary = await runDrop({ drop, local, compute, settings: ingest, onObject, ...options });
      return { summary, reports };
    },
    export: async (request = {}, ports = {}) => {
      const compute = new InlineCompute(await taskSettings(makePlan()));
      return exportDataset(datasetRequestSchema.parse(request), { store, catalog, compute, clock, ...ports });
    },
    forget: (id) => forget(id, { store, catalog, ledger: local.ledger }),
    tasks: async (selection) => (await select(selection)).map(({ taskId }) => taskId).sort(),
    document: async (id, revision) => {
      const json = unpackDocument(await bytesOf(trajectoryKey(id, revision)));
      return trajectorySchema.parse(JSON.parse(json));
    },
    text: async (key) => (await bytesOf(key)).toString("utf8"),
    keys: async (prefix = "") => {
      const keys: string[] = [];
      for await (const { key } of store.list(prefix)) keys.push(key);
      return keys;
    },
  };
}
