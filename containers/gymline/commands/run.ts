import type { Command } from "commander";
import type { RunSummary } from "../../../shared/adapters/local/embedded-run.ts";
import { runPipeline } from "../../../shared/adapters/local/run-pipeline.ts";
import type { ExportResult } from "../../../shared/stages/export.ts";
import type { IngestedItem, IngestReport } from "../../../shared/stages/ingest.ts";
import { pc } from "../colours.ts";
import { type DatasetOptions, datasetOptions, datasetRequest } from "../dataset-options.ts";
import { readEvaluationFile } from "../evaluation-file.ts";
import { EXIT } from "../exit-code.ts";
import { criticOption, examples, readingOptions } from "../options.ts";
import { threadCount } from "../pipeline.ts";
import { programCommit } from "../program-commit.ts";
import { startProgress } from "../progress.ts";
import { datasetReport, rejectionReport, scoreTable } from "../reports.ts";
import { loadSettings, type SettingsOptions } from "../settings.ts";
import { bytesText, many, out } from "../terminal.ts";

interface RunOptions extends SettingsOptions, DatasetOptions {
  readonly out: string;
  readonly jobs?: string;
  readonly force?: boolean;
  readonly export: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Trajectories and rejections shown; the store has them all. */
const SHOWN = 60;
/** Those that are kept to be reported at all. */
const KEPT = 1000;

export function addRun(program: Command): void {
  const command = program
    .command("run")
    .description("take in a drop folder: convert, redact, score and export, in this process")
    .argument("<drop>", "folder (or file) of agent logs; its top folders are project labels")
    .option("-o, --out <dir>", "folder of the store", "out")
    .option("-d, --domain <name|file>", "score everything by this domain")
    .option("-j, --jobs <n>", "threads that compute (default: one per core; 0: none but this one)")
    .option("--force", "read unchanged files again")
    .option("--no-export", "stop after scoring")
    .option("--json", "print one JSON document instead of text")
    .option("-q, --quiet", "no progress");
  datasetOptions(criticOption(readingOptions(command)));
  examples(command, [
    "gymline run logs --out out",
    "gymline run logs --out out --success true --min-score 0.6 --per-task 2",
    "gymline run logs --out out --mapping our-logger.json --json",
  ]).action(run);
}

async function run(drop: string, options: RunOptions): Promise<void> {
  const { plan, config } = loadSettings(options);
  const request = datasetRequest(config.dataset, options);
  const started = performance.now();
  const seen: SeenItem[] = [];
  const rejected: IngestReport["rejections"][number][] = [];
  const quiet = options.quiet === true || options.json === true;
  let progress = startProgress("reading", { quiet });
  try {
    const { summary, dataset, threads } = await runPipeline({
      drop,
      out: options.out,
      plan,
      dataset: options.export ? request : null,
      evaluations: readEvaluationFile,
      commit: programCommit(),
      threads: threadCount(options.jobs),
      force: options.force === true,
      onObject: (report) => {
        for (const item of report.items) if (seen.length < KEPT) seen.push({ ...item, source: report.key });
        for (const rejection of report.rejections) if (rejected.length < KEPT) rejected.push(rejection);
      },
      onProgress: ({ done, objects, bytes }) => progress.update({ done, total: objects, bytes }),
      onRead: () => {
        progress.end();
        progress = startProgress("exporting", { quiet });
      },
      onExport: (done, total) => progress.update({ done, total }),
    });
    progress.end();
    const seconds = (performance.now() - started) / 1000;
    const facts = { drop, out: options.out, summary, seen, rejected, dataset, seconds, threads };
    if (options.json === true) out(JSON.stringify(jsonReport(facts)));
    else textReport(facts);
    if (summary.rejected + summary.rejectedBefore > 0) process.exitCode = EXIT.rejected;
  } finally {
    progress.end();
  }
}

interface SeenItem extends IngestedItem {
  /** Key of the dropped file. */
  readonly source: string;
}

interface RunFacts {
  readonly drop: string;
  readonly out: string;
  readonly summary: RunSummary;
  readonly seen: readonly SeenItem[];
  readonly rejected: readonly IngestReport["rejections"][number][];
  readonly dataset: ExportResult | undefined;
  readonly seconds: number;
  readonly threads: number;
}

function textReport(facts: RunFacts): void {
  const { summary } = facts;
  const { counts } = summary;
  const read = summary.objects - summary.unchanged;
  const time = `${facts.seconds.toFixed(1)} s on ${many(Math.max(1, facts.threads), "thread")}`;
  out(
    `${pc.bold("Came in")}   ${many(read, "file")} (${bytesText(summary.bytes)}), ${many(summary.records, "record")}, ${time}`,
  );
  if (summary.unchanged > 0) out(`          ${many(summary.unchanged, "file")} unchanged since the last run`);
  if (summary.outdated > 0) {
    out(
      `          ${summary.outdated} of them read with other settings: gymline reprocess --stage ingest --drop ${facts.drop} --store ${facts.out}`,
    );
  }
  const kinds = Object.entries(counts).filter(([, count]) => count > 0);
  out(
    `          ${kinds.length === 0 ? "no new trajectories" : `trajectories: ${kinds.map(([kind, count]) => `${count} ${kind}`).join(", ")}`}`,
  );
  if (summary.rejected > 0) {
    out();
    out(rejectionReport(facts.rejected, { total: summary.rejected, shown: SHOWN }));
    out(`  reports: ${facts.out}/rejected/`);
  }
  if (summary.rejectedBefore > 0) {
    out(
      `          ${many(summary.rejectedBefore, "input")} in unchanged files rejected before: see ${facts.out}/rejected/`,
    );
  }
  if (facts.seen.length > 0) {
    out();
    out(scoreTable(facts.seen, { shown: SHOWN, store: facts.out }));
  }
  if (facts.dataset !== undefined) {
    out();
    out(datasetReport(facts.dataset, facts.out));
  }
}

function jsonReport(facts: RunFacts): unknown {
  const { summary, rejected, dataset, seconds } = facts;
  return {
    schema: "gymline.run.v1",
    drop: facts.drop,
    store: facts.out,
    seconds: Math.round(seconds * 1000) / 1000,
    ...summary,
    trajectories: facts.seen.map(({ source, row, outcome, score, domain }) => ({
      id: row.id,
      source,
      outcome,
      task: row.taskId,
      domain,
      format: row.format,
      agent: row.agent,
      success: row.success,
      reward: score?.reward ?? null,
      process: score?.process ?? null,
      redactions: row.redactions,
      warnings: row.warnings,
    })),
    rejections: rejected,
    dataset: dataset ?? null,
  };
}
