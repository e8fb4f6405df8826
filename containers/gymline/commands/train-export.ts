import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { examples } from "../options.ts";
import { addScriptOptions, EXPORT_OPTIONS, givenOptions, scriptArguments } from "../train-options.ts";
import { modelPlace } from "../train-places.ts";
import { runTrainer, trainerPython } from "../trainer.ts";
import { UsageError } from "../usage-error.ts";

const MODULES = ["torch", "transformers", "peft", "jinja2", "yaml"];

interface ExportOptions {
  readonly run: string;
  readonly model?: string;
  readonly dryRun?: boolean;
  readonly python?: string;
}

/** `gymline train export`: what a run that is trained leaves for those who serve it. */
export function addTrainExport(train: Command): void {
  const command = train
    .command("export")
    .description("export a trained run: one model for Transformers and vLLM, ONNX, a model card")
    .requiredOption("--run <dir>", "folder of the run: its --out")
    .option("--model <model>", "the model begun with, for an adapter whose model has moved");
  addScriptOptions(command, EXPORT_OPTIONS);
  command
    .option("--dry-run", "say which run it is and what would be exported")
    .option("--python <path>", "Python with the trainer's packages (default: that of .venv)");
  examples(command, [
    "gymline train export --run runs/sft",
    "gymline train export --run runs/sft --export model --export-dtype bfloat16",
  ]).action(exportRun);
}

async function exportRun(given: ExportOptions): Promise<void> {
  const { run, model, python, dryRun } = given;
  if (!statSync(run, { throwIfNoEntry: false })?.isDirectory() || !existsSync(join(run, "run.json"))) {
    throw new UsageError(`${run} is no run that is trained (it has no run.json): give the --out of one`);
  }
  const args = [
    ...["--run", run],
    ...(model === undefined ? [] : ["--model", modelPlace(model)]),
    ...scriptArguments(givenOptions(EXPORT_OPTIONS, { ...given })),
    ...(dryRun === true ? ["--dry-run"] : []),
  ];
  process.exitCode = await runTrainer(
    trainerPython({ python, extra: "train", modules: MODULES }),
    "export.py",
    args,
  );
}
