import { openForReading } from "../../shared/adapters/local/local-store.ts";
import { readPaths } from "../../shared/adapters/local/read-paths.ts";
import { taskSettings } from "../../shared/adapters/local/task-settings.ts";
import { compareGroups } from "../../shared/leaderboard/compare-groups.ts";
import { type Metric, metricSchema } from "../../shared/leaderboard/leaderboard.ts";
import { scoreFacts } from "../../shared/leaderboard/side-by-side.ts";
import { scoreBySettings } from "../../shared/stages/score-trajectory.ts";
import {
  type Compared,
  comparisonDocument,
  comparisonReport,
  sideBySideReport,
} from "./comparison-report.ts";
import { numeric } from "./dataset-options.ts";
import { Rejections, readingSettings } from "./reading.ts";
import { collectRuns, groupOf, type RunGroup } from "./runs.ts";
import { loadSettings, type SettingsOptions } from "./settings.ts";
import { loadScore, loadTrajectory, resolveId } from "./store-access.ts";
import { out } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

export interface CompareOptions extends SettingsOptions {
  readonly store: string;
  readonly id?: readonly string[];
  readonly a?: string;
  readonly b?: string;
  readonly metric?: string;
  readonly level?: string;
  readonly seed?: string;
  readonly evaluation?: readonly string[];
  readonly correction?: string;
  readonly test?: string;
  readonly report?: readonly string[];
  readonly markdown?: boolean;
  readonly json?: boolean;
}

export async function compare(paths: readonly string[], options: CompareOptions): Promise<void> {
  const ids = options.id ?? [];
  if (options.evaluation !== undefined) {
    if (paths.length + ids.length > 0 || options.a !== undefined || options.b !== undefined) {
      throw new UsageError("give evaluations, or logs, ids or groups, not both");
    }
    const { compareEvaluations } = await import("./evaluations-run.ts");
    return await compareEvaluations({ ...options, evaluation: options.evaluation });
  }
  for (const name of ["correction", "test", "report", "markdown"] as const) {
    if (options[name] !== undefined) throw new UsageError(`--${name} goes with --evaluation`);
  }
  const groups = [options.a, options.b].filter((group) => group !== undefined);
  const [first, second] = groups;
  if (first !== undefined && second !== undefined) {
    if (paths.length + ids.length > 0) throw new UsageError("give two groups, or logs and ids, not both");
    await compareStored(groupOf(first, options.store), groupOf(second, options.store), options);
    return;
  }
  if (groups.length === 1) throw new UsageError("--a and --b go together: give both groups");
  if (paths.length > 0 && ids.length > 0) throw new UsageError("give logs or --id, not both");
  if (paths.length === 0 && ids.length < 2) {
    throw new UsageError("there is nothing to compare: give log files, --id twice, or --a and --b");
  }
  const rejections = new Rejections();
  const compared =
    paths.length > 0 ? await readLogs(paths, { options, rejections }) : await readStored(ids, options);
  if (compared.length < 2 && rejections.count === 0) {
    throw new UsageError(`${paths.join(", ")} holds one trajectory only: a comparison takes two or more`);
  }
  if (compared.length > 0) {
    if (options.json === true)
      out(JSON.stringify({ schema: "gymline.side-by-side.v1", trajectories: compared }));
    else out(sideBySideReport(compared));
  }
  rejections.report();
}

async function readLogs(
  paths: readonly string[],
  { options, rejections }: { readonly options: CompareOptions; readonly rejections: Rejections },
): Promise<readonly Compared[]> {
  const settings = await readingSettings(paths, options);
  const compared: Compared[] = [];
  for await (const item of readPaths({ paths, settings: settings.ingest })) {
    if (item.kind === "rejected") rejections.add(item.rejection);
    if (item.kind !== "trajectory") continue;
    const { trajectory, row } = item.read;
    const { document } = await scoreBySettings(trajectory, settings.score);
    const { source, entry, line } = item.place;
    const place = [
      source,
      ...(entry === undefined ? [] : [`!${entry}`]),
      ...(line === undefined || line === 1 ? [] : [`:${line}`]),
    ];
    compared.push({
      name: place.join(""),
      id: row.id,
      task: row.taskId,
      agent: row.agent,
      model: row.model,
      success: row.success,
      domain: document.domain,
      scorer: document.scorer,
      ...scoreFacts(document),
    });
  }
  return compared;
}

/** By the score that the store holds; one that has none is scored by the settings. */
async function readStored(ids: readonly string[], options: CompareOptions): Promise<readonly Compared[]> {
  const local = openForReading(options.store);
  try {
    const settings = await taskSettings(loadSettings(options).plan);
    const compared: Compared[] = [];
    for (const text of ids) {
      const id = await resolveId(local.catalog, text);
      const entry = await local.catalog.entry(id);
      const stored = await loadScore(local.store, id, entry?.scorer ?? null);
      const trajectory = await loadTrajectory(local.store, id);
      const document =
        options.domain === undefined && stored !== undefined
          ? stored
          : (await scoreBySettings(trajectory, settings.score)).document;
      const facts = trajectory.extra.gymline;
      compared.push({
        name: id.slice(0, 10),
        id,
        task: facts.task.id ?? null,
        agent: trajectory.agent.name,
        model: trajectory.agent.model_name ?? null,
        success: facts.outcome.success,
        domain: document.domain,
        scorer: document.scorer,
        ...scoreFacts(document),
      });
    }
    return compared;
  } finally {
    await local.close();
  }
}

async function compareStored(first: RunGroup, second: RunGroup, options: CompareOptions): Promise<void> {
  const metric = metricOf(options.metric);
  const level = numeric("--level", options.level) ?? 0.95;
  const seed = numeric("--seed", options.seed) ?? 42;
  if (!(level > 0.5 && level < 1))
    throw new UsageError(`--level takes a number between 0.5 and 1, not "${options.level}"`);
  if (!Number.isSafeInteger(seed)) throw new UsageError(`--seed takes a whole number, not "${options.seed}"`);
  const runs = [];
  for (const { store, filters } of [first, second]) {
    const local = openForReading(store);
    try {
      runs.push(await collectRuns(local.catalog, filters));
    } finally {
      await local.close();
    }
  }
  const [a = [], b = []] = runs;
  for (const [found, { text }] of [
    [a, first],
    [b, second],
  ] as const) {
    if (found.length === 0)
      throw new UsageError(`no trajectory matches the group "${text}"; gymline list shows what there is`);
  }
  const comparison = compareGroups(a, b, { metric, level, seed });
  const names = { a: first.text, b: second.text };
  if (options.json === true)
    out(JSON.stringify(comparisonDocument(comparison, { names, metric, level, seed })));
  else out(comparisonReport(comparison, { names, metric, level, seed }));
}

function metricOf(text = "reward"): Metric {
  const result = metricSchema.safeParse(text);
  if (result.success) return result.data;
  throw new UsageError(`--metric takes ${metricSchema.options.join(", ")}, not "${text}"`);
}
