import type { Command } from "commander";
import type { CalibrateOptions } from "../calibrate-scores.ts";
import { examples, storeOption } from "../options.ts";

export function addCalibrate(program: Command): void {
  const command = program
    .command("calibrate")
    .description(
      "compare automatic scores with human labels and fit a calibration; exit code 2: compared, but not fitted",
    )
    .argument("[file]", "scores and human scores (JSON, JSON Lines or CSV) in place of a store's labels")
    .option("--layer <name>", "score to calibrate: total, process, model or critic", "total")
    .option("--group <by>", "hold out and resample together what shares its task or repo", "task")
    .option("-o, --out <file>", "calibration file (default: calibration.json, or calibration.<layer>.json)")
    .option("--seed <n>", "seed of folds and resamples", "1")
    .option("--json", "print one JSON document");
  storeOption(command);
  examples(command, [
    "gymline calibrate --store out",
    "gymline calibrate --store out --layer process --out process.json",
    "gymline calibrate scores.csv --json | jq .comparison.spearman",
  ]).action(run);
}

/** The statistics' packages take a quarter of a second to load, which other commands need not wait for. */
async function run(file: string | undefined, options: CalibrateOptions): Promise<void> {
  const { calibrate } = await import("../calibrate-scores.ts");
  await calibrate(file, options);
}
