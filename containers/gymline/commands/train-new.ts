import type { Command } from "commander";
import { examples } from "../options.ts";
import { addScriptOptions, givenOptions, NEW_OPTIONS, scriptArguments } from "../train-options.ts";
import { type DataOptions, dataPlace } from "../train-places.ts";
import { runTrainer, trainerPython } from "../trainer.ts";

const MODULES = ["torch", "transformers", "jinja2", "yaml", "onnx", "onnxscript", "onnxruntime"];

interface NewOptions extends DataOptions {
  readonly data: string;
  readonly out: string;
  readonly dryRun?: boolean;
  readonly python?: string;
}

/** `gymline train new`: a small model that has learnt nothing, for experiments without a model hub. */
export function addTrainNew(train: Command): void {
  const command = train
    .command("new")
    .description("make a small model that has learnt nothing, with a tokenizer of its own: for experiments")
    .requiredOption("--data <data>", "<dataset> or <dataset>/<version> of the store; or a folder or file")
    .requiredOption("-o, --out <dir>", "folder for model/ (to train) and onnx/ (to run)")
    .option("-s, --store <dir>", "store that --data names a dataset of (default: out)");
  addScriptOptions(command, NEW_OPTIONS);
  command
    .option("--dry-run", "say how large it would be")
    .option("--python <path>", "Python with the trainer's packages (default: that of .venv)");
  examples(command, [
    "gymline train new --data sft --out models/new",
    "gymline train new --data sft/5750 --out models/new --layers 4 --hidden-size 128 --seed 7",
  ]).action(newModel);
}

async function newModel(given: NewOptions): Promise<void> {
  const args = [
    ...["--data", await dataPlace(given.data, given), "--out", given.out],
    ...scriptArguments(givenOptions(NEW_OPTIONS, { ...given })),
    ...(given.dryRun === true ? ["--dry-run"] : []),
  ];
  const python = trainerPython({ python: given.python, extra: "train", modules: MODULES });
  process.exitCode = await runTrainer(python, "new_model.py", args);
}
