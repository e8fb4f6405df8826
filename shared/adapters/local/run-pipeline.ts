import { existsSync, realpathSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join, resolve, sep } from "node:path";
import type { z } from "zod";
import { type DatasetRequest, datasetRequestSchema } from "../../contracts/dataset-request.ts";
import type { PipelinePlan } from "../../contracts/pipeline-plan.ts";
import type { DomainProfile } from "../../domains/profile.ts";
import type { Clock } from "../../ports/clock.ts";
import { readingLimitsSchema } from "../../reading/limits.ts";
import { redactionConfigSchema } from "../../redaction/config.ts";
import { parseRewardConfig, type RewardConfigInput } from "../../reward/config.ts";
import type { EvaluationReader } from "../../stages/curate.ts";
import { type ExportResult, exportDataset } from "../../stages/export.ts";
import type { IngestReport } from "../../stages/ingest.ts";
import type { Format } from "../../trajectory/format.ts";
import type { CustomMapping } from "../../trajectory/formats/custom-mapping.ts";
import { registeredFormats } from "../../trajectory/registry.ts";
import { renderPlot } from "../vega/render-plot.ts";
import { InlineCompute } from "./compute-inline.ts";
import { KeepingCompute } from "./compute-keeping.ts";
import { ComputePool } from "./compute-pool.ts";
import { type RunProgress, type RunSummary, runDrop } from "./embedded-run.ts";
import { openForWriting } from "./local-store.ts";
import { RowSpool } from "./row-spool.ts";
import { systemClock } from "./system-clock.ts";
import { taskSettings } from "./task-settings.ts";
import { readTokenizerFolder } from "./tokenizer-folder.ts";

/** What `pipelinePlan` takes; everything may be left out. */
export interface PipelineSettings {
  /** Name of the one format everything is read as; by default the content of each record decides. */
  readonly format?: string;
  readonly mappings?: readonly CustomMapping[];
  /** Absolute paths of modules that call `registerFormat`. */
  readonly plugins?: readonly string[];
  readonly limits?: z.input<typeof readingLimitsSchema>;
  readonly redaction?: z.input<typeof redactionConfigSchema>;
  readonly reward?: RewardConfigInput;
  /** Scores everything by this profile, whatever the trajectories declare. */
  readonly profile?: DomainProfile;
}

/** Checks settings and fills in the defaults. @throws ZodError or RewardConfigError that names the field */
export function pipelinePlan(settings: PipelineSettings = {}): PipelinePlan {
  const { format, mappings = [], plugins = [], limits = {}, redaction = {}, reward, profile } = settings;
  return {
    ...(format === undefined ? {} : { forced: format }),
    mappings,
    plugins,
    limits: readingLimitsSchema.parse(limits),
    redaction: redactionConfigSchema.parse(redaction),
    reward: parseRewardConfig(reward),
    ...(profile === undefined ? {} : { profile }),
  };
}

export interface PipelineRun {
  /** Folder (or file) of agent logs; its top folders are project labels. */
  readonly drop: string;
  /** Folder of the store; made where it is not there. */
  readonly out: string;
  readonly plan?: PipelinePlan;
  /** The dataset to write at the end; by default all trajectories that succeeded. `null`: none. */
  readonly dataset?: DatasetRequest | null;
  /** Reads the evaluation sets that the dataset names in `against`. */
  readonly evaluations?: EvaluationReader;
  /**
   * Threads that compute. 0: only the calling one. By default one per core, but 0 where the program has registered
   * formats of its own, which no other thread would know.
   */
  readonly threads?: number;
  /** Reads every object again, whatever the catalog says of it. */
  readonly force?: boolean;
  readonly clock?: Clock;
  /** Called for each dropped object, in the order of the drop. */
  readonly onObject?: (report: IngestReport) => void;
  readonly onProgress?: (progress: RunProgress) => void;
  /** Called once all objects are read. */
  readonly onRead?: (summary: RunSummary) => void;
  readonly onExport?: (done: number, total: number) => void;
  /** Commit of the program, for the manifest. */
  readonly commit?: string | undefined;
}

export interface PipelineResult {
  readonly summary: RunSummary;
  /** Absent where no dataset was asked for. */
  readonly dataset?: ExportResult;
  readonly threads: number;
}

/** The drop folder is not there, or the store would lie inside it. */
export class DropFolderError extends Error {
  override readonly name = "DropFolderError";
}

/**
 * The main job: takes in a drop folder, stores what it holds as redacted, scored trajectories, and writes a
 * dataset. Repeating it changes nothing; after a kill, the next run goes on.
 * @throws DropFolderError, StoreBusyError
 */
export async function runPipeline(run: PipelineRun): Promise<PipelineResult> {
  checkPlaces(run.drop, run.out);
  const { plan = pipelinePlan(), clock = systemClock } = run;
  const { settings, own } = await settingsOf(plan);
  const threads = run.threads ?? (own ? 0 : availableParallelism());
  const dataset = run.dataset === undefined ? datasetRequestSchema.parse({}) : run.dataset;
  // Of a few rows chosen among many, most would be rendered for nothing.
  const few = dataset?.limit ?? dataset?.perTask ?? dataset?.minGdi;
  const ahead = dataset === null || few !== undefined ? {} : { dataset };
  const compute =
    threads === 0
      ? new InlineCompute({ ...settings, ...ahead })
      : new ComputePool({ plan, threads, ...ahead });
  try {
    const local = openForWriting(run.out, clock);
    const rows = new RowSpool(local.store.temporary());
    try {
      const summary = await runDrop({
        drop: run.drop,
        local,
        compute: new KeepingCompute(compute, rows),
        settings: settings.ingest,
        force: run.force === true,
        ...(run.onObject === undefined ? {} : { onObject: run.onObject }),
        ...(run.onProgress === undefined ? {} : { onProgress: run.onProgress }),
      });
      run.onRead?.(summary);
      if (dataset === null) return { summary, threads };
      // Most exports write the rows that were kept, and need no thread; others start them again.
      if (compute instanceof ComputePool) await compute.rest();
      const { store, catalog } = local;
      const exported = await exportDataset(dataset, {
        store,
        catalog,
        compute,
        clock,
        rows,
        plots: renderPlot,
        commit: run.commit,
        tokenizers: readTokenizerFolder,
        ...(run.evaluations === undefined ? {} : { evaluations: run.evaluations }),
        ...(run.onExport === undefined ? {} : { onProgress: run.onExport }),
      });
      return { summary, dataset: exported, threads };
    } finally {
      rows.close();
      await local.close();
    }
  } finally {
    await compute.close();
  }
}

const fromPlugins = new WeakSet<Format>();

/** `own`: formats are registered that no plugin of the plan brings to other threads. */
async function settingsOf(
  plan: PipelinePlan,
): Promise<{ readonly settings: Awaited<ReturnType<typeof taskSettings>>; readonly own: boolean }> {
  const before = new Set(registeredFormats());
  const settings = await taskSettings(plan);
  for (const format of registeredFormats()) if (!before.has(format)) fromPlugins.add(format);
  return { settings, own: registeredFormats().some((format) => !fromPlugins.has(format)) };
}

/** The path with all links followed, as far as it exists. */
function realOf(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const parent = dirname(path);
  return parent === path ? path : join(realOf(parent), basename(path));
}

/** A store inside the drop would be read as logs by the next run. */
function checkPlaces(drop: string, out: string): void {
  if (!existsSync(drop))
    throw new DropFolderError(`there is no ${drop}; give the folder that holds the logs`);
  const from = realpathSync(drop);
  const to = realOf(resolve(out));
  if (to === from || to.startsWith(from + sep)) {
    throw new DropFolderError(
      `the store ${out} lies inside the drop folder ${drop}; give a folder outside of it`,
    );
  }
}
