import type { Command } from "commander";
import { ComputePool } from "../../../shared/adapters/local/compute-pool.ts";
import { openForWriting } from "../../../shared/adapters/local/local-store.ts";
import { systemClock } from "../../../shared/adapters/local/system-clock.ts";
import { readTokenizerFolder } from "../../../shared/adapters/local/tokenizer-folder.ts";
import { loadPlots, renderPlot } from "../../../shared/adapters/vega/render-plot.ts";
import { exportDataset } from "../../../shared/stages/export.ts";
import { type DatasetOptions, datasetOptions, datasetRequest } from "../dataset-options.ts";
import { readEvaluationFile } from "../evaluation-file.ts";
import { EXIT } from "../exit-code.ts";
import { examples, storeOption } from "../options.ts";
import { threadCount } from "../pipeline.ts";
import { programCommit } from "../program-commit.ts";
import { startProgress } from "../progress.ts";
import { datasetReport } from "../reports.ts";
import { loadSettings } from "../settings.ts";
import { out } from "../terminal.ts";

interface ExportOptions extends DatasetOptions {
  readonly store: string;
  readonly config?: string;
  readonly jobs?: string;
  readonly json?: boolean;
}

export function addExport(program: Command): void {
  const command = program
    .command("export")
    .description("write a dataset version from what the store holds")
    .option("-c, --config <file>", "configuration file (default: ./gymline.json, if there is one)")
    .option("-j, --jobs <n>", "threads that compute (default: one per core)")
    .option("--json", "print JSON");
  datasetOptions(storeOption(command));
  examples(command, [
    "gymline export --store out --target trl",
    "gymline export --target verl --name coding --only-domain coding",
    "gymline export --store out --success true,unknown --min-score 0.7 --per-task 4 --name best",
    "gymline export --store out --row-tokens 32768 --allow leak-text",
    "gymline export --store out --near-duplicates 0.85 --against swe-bench-verified.jsonl",
    "gymline export --tokenizer models/qwen --max-tokens 32768 --token-budget 50000000 --split-by repository",
    "gymline export --balance difficulty --shares easy=1,medium=2,hard=1 --limit 4000 --order easy-first",
  ]).action(run);
}

async function run(options: ExportOptions): Promise<void> {
  const { plan, config } = loadSettings(options.config === undefined ? {} : { config: options.config });
  const request = datasetRequest(config.dataset, options);
  const threads = Math.max(1, threadCount(options.jobs));
  const local = openForWriting(options.store);
  const compute = new ComputePool({ plan, threads });
  loadPlots();
  const progress = startProgress("exporting", { quiet: options.json === true });
  try {
    const { store, catalog } = local;
    const onProgress = (done: number, total: number): void => progress.update({ done, total });
    const result = await exportDataset(request, {
      store,
      catalog,
      compute,
      clock: systemClock,
      onProgress,
      evaluations: readEvaluationFile,
      tokenizers: readTokenizerFolder,
      plots: renderPlot,
      commit: programCommit(),
    });
    progress.end();
    out(options.json === true ? JSON.stringify(result) : datasetReport(result, options.store));
    if (result.kind === "empty") process.exitCode = EXIT.rejected;
  } finally {
    progress.end();
    await compute.close();
    await local.close();
  }
}
