import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { EpisodeFolder } from "../../shared/adapters/local/episode-folder.ts";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { type CollectResult, collectParallel } from "../../shared/collect/collect.ts";
import type { EpisodeRunner } from "../../shared/collect/episode-runner.ts";
import { type EpisodePlan, planEpisodes } from "../../shared/collect/plan-episodes.ts";
import { hashOfTasks } from "../../shared/evaluation/evaluate-agent.ts";
import { collectJson, collectReport, planReport } from "./collect-report.ts";
import { collectRunner } from "./collect-runner.ts";
import {
  type CollectCommandOptions,
  type CollectLimits,
  checkSameShape,
  folderOf,
  givenSeed,
  limitsOf,
  parseRunSettings,
  type RunSettings,
  type ShapingOptions,
  shapingOf,
} from "./collect-settings.ts";
import { CollectTable } from "./collect-table.ts";
import { runNameOf, tasksOf } from "./collect-tasks.ts";
import { CollectUploads } from "./collect-uploads.ts";
import { EXIT } from "./exit-code.ts";
import { hashOfModel } from "./hash-of-path.ts";
import { stopper } from "./stopper.ts";
import { out } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** `given`: names of the options that stood on the command line. */
export async function collectCommand(
  options: CollectCommandOptions,
  given: readonly string[],
): Promise<void> {
  if (options.resume !== undefined && options.run !== undefined) {
    throw new UsageError("give either --run for a new run or --resume for one to go on with");
  }
  const started = options.resume === undefined ? begin(options) : goOn(options, options.resume, given);
  try {
    await work(started, options);
  } finally {
    started.folder?.close();
  }
}

interface Started {
  readonly settings: RunSettings;
  readonly episodes: readonly EpisodePlan[];
  readonly limits: CollectLimits;
  /** Of a run that goes on. */
  readonly folder: EpisodeFolder | null;
}

function begin(options: CollectCommandOptions): Started {
  const limits = limitsOf(options);
  const shaping = shapingOf(options);
  const seed = givenSeed(shaping) ?? randomInt(2 ** 32);
  const tasks = tasksOf(shaping, seed);
  const created = new Date();
  const run = options.run ?? runNameOf(created);
  const settings: RunSettings = {
    schema: "gymline.collect-run.v1",
    run,
    folder: folderOf(run, options.project),
    created_at: created.toISOString(),
    options: shaping,
    seed,
    tasks_hash: hashOfTasks(tasks),
    ...ownModel(shaping),
  };
  const episodes = planEpisodes(tasks, { attempts: limits.attempts, seed });
  return { settings, episodes, limits, folder: null };
}

function goOn(options: CollectCommandOptions, run: string, given: readonly string[]): Started {
  const { folder, settings: kept } = EpisodeFolder.resume(options.out, run);
  try {
    const settings = parseRunSettings(kept, run);
    const asked = Object.entries(shapingOf(options)).filter(([name]) => given.includes(name));
    checkSameShape(Object.fromEntries(asked), settings);
    const limits = limitsOf({ ...options, ...settings.options });
    const tasks = tasksOf(settings.options, settings.seed);
    if (hashOfTasks(tasks) !== settings.tasks_hash) {
      throw new UsageError(
        `${settings.options.tasks} holds other tasks than when the run ${run} began: put it back, or begin a new run`,
      );
    }
    const { model_sha256: model } = settings;
    if (model !== undefined && (ownModel(settings.options).model_sha256 ?? model) !== model) {
      throw new UsageError(
        `${settings.options.model} holds another model than when the run ${run} began, whose episodes would be of two models: put that one back, or begin a new run`,
      );
    }
    const episodes = planEpisodes(tasks, { attempts: limits.attempts, seed: settings.seed });
    return { settings, episodes, limits, folder };
  } catch (error) {
    folder.close();
    throw error;
  }
}

/** Nothing where it is not there, which is told of when it is opened. */
function ownModel({ agent, model }: ShapingOptions): Pick<RunSettings, "model_sha256"> {
  if (agent !== "onnx" || model === undefined || !existsSync(model)) return {};
  return { model_sha256: hashOfModel(model) };
}

async function work(started: Started, options: CollectCommandOptions): Promise<void> {
  const { settings, episodes, limits } = started;
  const makeRunner = await collectRunner(settings.options, limits);
  if (options.dryRun === true) {
    const plan = episodes.map(({ task: _, ...rest }) => rest);
    return out(options.json === true ? JSON.stringify(plan) : planReport(episodes));
  }
  // Begun only now that everything else is known to be right.
  const folder = started.folder ?? EpisodeFolder.begin(options.out, settings.run, settings);
  try {
    await collectInto(folder, { started, options, makeRunner });
  } finally {
    if (started.folder === null) folder.close();
  }
}

async function collectInto(
  folder: EpisodeFolder,
  parts: {
    readonly started: Started;
    readonly options: CollectCommandOptions;
    readonly makeRunner: () => EpisodeRunner;
  },
): Promise<void> {
  const { started, options, makeRunner } = parts;
  const { settings, episodes, limits } = started;
  const { run } = settings;
  const uploads = new CollectUploads(options);
  const done = [...(await folder.entries()).values()].filter(({ kind }) => kind === "done");
  const quiet = options.quiet === true || options.json === true;
  const table = new CollectTable({ total: episodes.length, done, quiet, run, seed: settings.seed });
  const stop = stopper("--resume goes on later");
  for (const entry of done) uploads.add(entry);
  let result: CollectResult;
  try {
    result = await collectParallel({
      ...{ run, episodes, makeRunner, ledger: folder, clock: systemClock, signal: stop.signal },
      parallel: limits.parallel,
      ...(limits.maxRunUsd === undefined ? {} : { maxUsd: limits.maxRunUsd }),
      ...(limits.maxFailures === undefined ? {} : { maxFailuresInRow: limits.maxFailures }),
      onEvent: (event) => {
        table.update(event);
        if (event.kind === "end") uploads.add(event.entry);
      },
    });
  } finally {
    table.end();
    stop.release();
  }
  const { out: folderPath } = options;
  // Before the uploads: what the run found out must not be lost with them.
  folder.writeSummary(collectJson({ result, settings, out: folderPath, uploaded: undefined }));
  const uploaded = await uploads.finish();
  const report = { result, settings, out: folderPath, uploaded };
  folder.writeSummary(collectJson(report));
  out(options.json === true ? JSON.stringify(collectJson(report)) : collectReport(report));
  if (result.missing.length > 0 || (uploaded?.rejections.length ?? 0) > 0) process.exitCode = EXIT.rejected;
}
