import { existsSync } from "node:fs";
import type { Command } from "commander";
import { runDrop } from "../../../shared/adapters/local/embedded-run.ts";
import { type LocalStore, openForWriting } from "../../../shared/adapters/local/local-store.ts";
import { systemClock } from "../../../shared/adapters/local/system-clock.ts";
import { readTokenizerFolder } from "../../../shared/adapters/local/tokenizer-folder.ts";
import type { Compute } from "../../../shared/ports/compute.ts";
import { exportDataset } from "../../../shared/stages/export.ts";
import type { IngestSettings } from "../../../shared/stages/ingest-settings.ts";
import { prune, type Rescored, rescore } from "../../../shared/stages/reprocess.ts";
import { isoTimestamp } from "../../../shared/trajectory/timestamp.ts";
import { datasetRequest } from "../dataset-options.ts";
import { readEvaluationFile } from "../evaluation-file.ts";
import { EXIT } from "../exit-code.ts";
import { criticOption, examples, readingOptions, storeOption } from "../options.ts";
import { startCompute, threadCount } from "../pipeline.ts";
import { programCommit } from "../program-commit.ts";
import { startProgress } from "../progress.ts";
import { datasetReport, rejectionReport } from "../reports.ts";
import { loadSettings, type SettingsOptions } from "../settings.ts";
import { figure, many, out, table } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface ReprocessOptions extends SettingsOptions {
  readonly store: string;
  readonly stage: string;
  readonly drop?: string;
  readonly since?: string;
  readonly prune?: boolean;
  readonly jobs?: string;
  readonly json?: boolean;
}

const SHOWN = 40;

export function addReprocess(program: Command): void {
  const command = program
    .command("reprocess")
    .description(
      "do a stage again with today's converters, redactor or scorer; old versions stay beside the new",
    )
    .requiredOption("--stage <name>", "ingest, score or export (needed)")
    .option("--drop <dir>", "the drop folder (needed by stage ingest)")
    .option("--since <time>", "only what came in (ingest: what changed) since this ISO 8601 time")
    .option("--prune", "afterwards remove older revisions and the scores of other scorers")
    .option("-d, --domain <name|file>", "score everything by this domain")
    .option("-j, --jobs <n>", "threads that compute (default: one per core)")
    .option("--json", "print JSON");
  storeOption(criticOption(readingOptions(command)));
  examples(command, [
    "gymline reprocess --stage score --store out --config gymline.json",
    "gymline reprocess --stage ingest --drop logs --store out --since 2026-01-01 --prune",
  ]).action(reprocess);
}

async function reprocess(options: ReprocessOptions): Promise<void> {
  const since = sinceOf(options.since);
  const { plan, config } = loadSettings(options);
  const { settings, compute } = await startCompute(plan, threadCount(options.jobs));
  const local = openForWriting(options.store);
  const facts: Record<string, unknown> = { schema: "gymline.reprocess.v1", stage: options.stage };
  const context: Context = { options, local, compute, ...(since === undefined ? {} : { since }) };
  try {
    if (options.stage === "ingest") facts["summary"] = await ingestAgain(context, settings.ingest);
    else if (options.stage === "score") facts["rescored"] = await scoreAgain(context);
    else if (options.stage === "export") {
      const { store, catalog } = local;
      const request = datasetRequest(config.dataset, {});
      const result = await exportDataset(request, {
        store,
        catalog,
        compute,
        clock: systemClock,
        evaluations: readEvaluationFile,
        tokenizers: readTokenizerFolder,
        commit: programCommit(),
      });
      if (options.json !== true) out(datasetReport(result, options.store));
      facts["dataset"] = result;
    } else throw new UsageError(`--stage takes ingest, score or export, not "${options.stage}"`);
    if (options.prune === true) {
      const removed = await prune(since === undefined ? {} : { since }, local);
      if (options.json !== true) out(`removed ${many(removed.length, "older object")}`);
      facts["removed"] = removed;
    }
    if (options.json === true) out(JSON.stringify(facts));
  } finally {
    await compute.close();
    await local.close();
  }
}

interface Context {
  readonly options: ReprocessOptions;
  readonly local: LocalStore;
  readonly compute: Compute;
  readonly since?: number;
}

async function ingestAgain(context: Context, settings: IngestSettings): Promise<unknown> {
  const { options, local, compute, since } = context;
  if (options.drop === undefined || !existsSync(options.drop)) {
    throw new UsageError("--stage ingest reads the logs again: give their folder with --drop <dir>");
  }
  const rejections: Parameters<typeof rejectionReport>[0][number][] = [];
  const progress = startProgress("reading", { quiet: options.json === true });
  const summary = await runDrop({
    drop: options.drop,
    local,
    compute,
    settings,
    force: true,
    ...(since === undefined ? {} : { since }),
    onObject: (report) => rejections.push(...report.rejections.slice(0, SHOWN)),
    onProgress: ({ done, objects, bytes }) => progress.update({ done, total: objects, bytes }),
  });
  progress.end();
  if (options.json !== true) {
    const { revised, duplicate } = summary.counts;
    out(
      `${many(summary.objects - summary.unchanged, "file")} read again: ${revised} revised, ${duplicate} as before, ${summary.counts.new} new`,
    );
    if (summary.rejected > 0) out(rejectionReport(rejections, { total: summary.rejected, shown: SHOWN }));
  }
  if (summary.rejected > 0) process.exitCode = EXIT.rejected;
  return summary;
}

async function scoreAgain(context: Context): Promise<readonly Rescored[]> {
  const { options, local, compute, since } = context;
  const { store, catalog, ledger } = local;
  const progress = startProgress("scoring", { quiet: options.json === true });
  const onProgress = (done: number, total: number): void => progress.update({ done, total });
  const changed: Rescored[] = [];
  for await (const item of rescore(since === undefined ? {} : { since }, {
    store,
    catalog,
    ledger,
    compute,
    onProgress,
  })) {
    changed.push(item);
  }
  progress.end();
  if (options.json !== true) {
    const columns = [
      { title: "id" },
      { title: "before", align: "right" },
      { title: "now", align: "right" },
      { title: "scorer" },
    ] as const;
    const rows = changed.map(({ id, before, after }) => [
      id.slice(0, 10),
      figure(before.reward),
      figure(after.reward),
      after.scorer,
    ]);
    if (rows.length > 0) out(table(columns, rows.slice(0, SHOWN)));
    if (rows.length > SHOWN) out(`  … and ${rows.length - SHOWN} more`);
    out(`${many(changed.length, "trajectory", "trajectories")} scored by another scorer than before`);
  }
  return changed;
}

function sinceOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = isoTimestamp(text);
  const parsed = time === undefined ? Number.NaN : Date.parse(time);
  if (Number.isNaN(parsed))
    throw new UsageError(
      `--since takes an ISO 8601 time such as 2026-01-31 or 2026-01-31T08:00:00Z, not "${text}"`,
    );
  return parsed;
}
