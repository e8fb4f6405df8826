import { type Command, Option } from "commander";
import { type Algorithm, ALGORITHMS as NAMES } from "../../../shared/contracts/training-plan.ts";
import { digits } from "../numbers.ts";
import { collect, examples } from "../options.ts";
import { note } from "../terminal.ts";
import { trainInCloud } from "../train-cloud.ts";
import {
  addScriptOptions,
  EVAL_OPTIONS,
  givenOptions,
  type ScriptOption,
  scriptArguments,
  trainOptions,
} from "../train-options.ts";
import { type DataOptions, dataPlace, modelPlace } from "../train-places.ts";
import { runTrainer, type TrainerProgram, trainerPython } from "../trainer.ts";
import { UsageError } from "../usage-error.ts";
import { addTrainExport } from "./train-export.ts";
import { addTrainNew } from "./train-new.ts";

/** What a script exits with that was stopped and has saved: EX_TEMPFAIL of sysexits.h. */
const STOPPED = 75;
const MODULES = ["torch", "transformers", "accelerate", "peft", "jinja2", "yaml"];

const ALGORITHMS: Readonly<
  Record<Algorithm, { readonly about: string; readonly examples: readonly string[] }>
> = {
  sft: {
    about: "supervised fine-tuning on what the agent wrote (target trl)",
    examples: [
      "gymline train sft --data sft --store out --model Qwen/Qwen3-0.6B --out runs/sft",
      "gymline train sft --data sft/5750 --model ./my-model --out runs/sft --use-lora --packing --max-length 8192",
      "gymline train sft --data out/datasets/sft/5750c1a2b3d4 --model ./my-model --preview --row 3",
      "gymline train sft --cloud --deployment agents --data sft --model Qwen/Qwen3-0.6B --wait",
    ],
  },
  dpo: {
    about: "direct preference optimisation on pairs (target trl-dpo)",
    examples: [
      "gymline train dpo --data dpo --model runs/sft/trained --out runs/dpo --beta 0.1 --learning-rate 5e-7",
    ],
  },
  grpo: {
    about: "group-relative policy optimisation on collected attempts (target grpo-offline)",
    examples: [
      "gymline train grpo --data grpo --model runs/sft/trained --out runs/grpo --advantage credit --loss dapo",
    ],
  },
  prm: {
    about: "a reward model that judges each step (target trl-prm)",
    examples: ["gymline train prm --data prm --model ./my-model --out runs/prm --labels soft"],
  },
};

interface TrainOptions extends DataOptions {
  readonly data?: string;
  readonly evalData?: string;
  readonly model?: string;
  readonly out?: string;
  readonly config?: string;
  readonly set?: readonly string[];
  readonly dryRun?: boolean;
  readonly preview?: boolean;
  readonly row?: string;
  readonly python?: string;
  readonly cloud?: boolean;
  readonly wait?: boolean;
}

export function addTrain(program: Command): void {
  const train = program
    .command("train")
    .description("train a language model on a dataset version; needs Python, docs/TRAINING.md tells more");
  for (const algorithm of NAMES) addAlgorithm(train, algorithm);
  addTrainExport(train);
  addTrainNew(train);
  addEval(train, "eval");
  examples(train, [
    ...ALGORITHMS.sft.examples.slice(0, 1),
    "gymline train sft --config run.yaml --dry-run",
    "gymline train eval --data sft --model runs/sft/trained",
  ]);
  for (const command of train.commands) command.exitOverride();
}

/** The same as `gymline train eval`. */
export function addEvalModel(program: Command): void {
  addEval(program, "eval-model");
}

function addAlgorithm(train: Command, algorithm: Algorithm): void {
  const { about, examples: lines } = ALGORITHMS[algorithm];
  const command = train.command(algorithm).description(about);
  placeOptions(command);
  command.option("-o, --out <dir>", "folder for the trained model, metrics and checkpoints");
  const options = trainOptions(algorithm);
  addScriptOptions(command, options);
  command
    .option("--eval-data <data>", "evaluate on this, named as --data is: its split test, or --eval-split")
    .option("--dry-run", "check everything, show rows, tokens, steps and memory; train nothing")
    .option("--preview", "show how a row is learnt: what is trained on, and what is masked")
    .option("--row <n>", "the row that --preview shows (default: 1)")
    .option("--cloud", "train as a job of the deployment, on a GPU; --out is then the model's name there")
    .option("--wait", "with --cloud: follow the job to its end");
  examples(command, [...lines, `gymline train ${algorithm} --config run.yaml --set epochs=1 --dry-run`]);
  command
    .addHelpText(
      "after",
      `\nExit code ${STOPPED}: stopped by SIGTERM, with a checkpoint; the same command goes on.`,
    )
    .action((given: TrainOptions) =>
      (given.preview === true ? preview : train_)({ algorithm, given, options }),
    );
}

function placeOptions(command: Command): void {
  command
    .option("--data <data>", "<dataset> or <dataset>/<version> of the store; or a folder, file or s3://")
    .option("--model <model>", "folder of the model, or its name on the Hugging Face Hub")
    .option("-s, --store <dir>", "store that --data names a dataset of (default: out)")
    .addOption(
      new Option("--deployment <name>", "deployment whose store --data names a dataset of").conflicts(
        "store",
      ),
    )
    .option("-c, --config <file>", "options as YAML or JSON; those of the command line go before them")
    .option("--set <option=value>", "any option of the script (may be given several times)", collect)
    .option("--python <path>", "Python with the trainer's packages (default: that of .venv)");
}

interface Asked {
  readonly algorithm: Algorithm;
  readonly given: TrainOptions;
  readonly options: readonly ScriptOption[];
}

async function train_({ algorithm, given, options }: Asked): Promise<void> {
  if (given.row !== undefined)
    throw new UsageError("--row says which row --preview shows; give --preview too");
  if (given.wait === true && given.cloud !== true)
    throw new UsageError("--wait follows a job; give --cloud too");
  if (given.cloud === true) {
    demand(given, ["data", "model"]);
    await trainInCloud({ algorithm, given, chosen: givenOptions(options, { ...given }) });
    return;
  }
  demand(given, ["data", "model", "out"]);
  const evalData = given.evalData === undefined ? [] : await dataPlace(given.evalData, given);
  const args = [
    ...(await commonArguments(given, givenOptions(options, { ...given }))),
    ...(typeof evalData === "string" ? ["--set", `eval_data=${JSON.stringify(evalData)}`] : []),
    ...(given.set ?? []).flatMap((setting) => ["--set", setting]),
    ...(given.dryRun === true ? ["--dry-run"] : []),
  ];
  await run(`${algorithm}.py`, { given, args });
}

async function preview({ algorithm, given, options }: Asked): Promise<void> {
  const clash = Object.entries({ config: given.config, set: given.set, cloud: given.cloud, wait: given.wait })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => `--${name}`)[0];
  if (clash !== undefined || given.dryRun === true) {
    throw new UsageError(
      `--preview takes no ${clash ?? "--dry-run"}: give it --data, --model, --split, --max-length, --chat-template and --row`,
    );
  }
  demand(given, ["data", "model"]);
  const { data = "", model = "", row } = given;
  const chosen = givenOptions(options, { ...given });
  const flags = ["split", "max_length", "chat_template"].flatMap((name) => {
    const value = chosen.get(name);
    return value === undefined ? [] : [`--${name.replaceAll("_", "-")}=${value}`];
  });
  const args = [
    "--data",
    await dataPlace(data, given),
    "--model",
    modelPlace(model),
    "--algorithm",
    algorithm,
  ];
  await run("gymline_trainer.preview", {
    given,
    args: [...args, ...flags, ...(row === undefined ? [] : [`--row=${digits("--row", row)}`])],
  });
}

function addEval(parent: Command, name: string): void {
  const command = parent
    .command(name)
    .description(
      "perplexity and token accuracy of a model on what agents wrote (target trl), with intervals",
    );
  placeOptions(command);
  command.option("-o, --out <file>", "file for the figures as JSON (default: standard output)");
  addScriptOptions(command, EVAL_OPTIONS);
  command.option("--dry-run", "check the data and show its figures; load no model");
  const called = parent.name() === "train" ? "train eval" : name;
  examples(command, [
    `gymline ${called} --data sft --store out --model runs/sft/trained`,
    `gymline ${called} --data test.jsonl --split train --model ./my-model --out figures.json --max-length 8192`,
  ]).action(evaluate);
}

async function evaluate(given: TrainOptions): Promise<void> {
  demand(given, ["data", "model"]);
  const args = [
    ...(await commonArguments(given, givenOptions(EVAL_OPTIONS, { ...given }))),
    ...(given.set ?? []).flatMap((setting) => ["--set", setting]),
    ...(given.dryRun === true ? ["--dry-run"] : []),
  ];
  await run("eval_model.py", { given, args });
}

async function commonArguments(
  given: TrainOptions,
  chosen: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  const { config, data, model, out } = given;
  return [
    ...(config === undefined ? [] : ["--config", config]),
    ...(data === undefined ? [] : ["--data", await dataPlace(data, given)]),
    ...(model === undefined ? [] : ["--model", modelPlace(model)]),
    ...(out === undefined ? [] : ["--out", out]),
    ...scriptArguments(chosen),
  ];
}

/** Without a file, the command line must say it all. @throws UsageError */
function demand(given: TrainOptions, names: readonly ("data" | "model" | "out")[]): void {
  if (given.config !== undefined) return;
  const missing = names.filter((name) => given[name] === undefined).map((name) => `--${name}`);
  if (missing.length > 0) throw new UsageError(`give ${missing.join(", ")}, or a file with them as --config`);
}

/** Runs it, passes its exit code on and says what to do where it did not end by itself. */
async function run(
  program: TrainerProgram,
  { given, args }: { readonly given: TrainOptions; readonly args: readonly string[] },
): Promise<void> {
  const python = trainerPython({ python: given.python, extra: "train", modules: MODULES });
  const code = await runTrainer(python, program, args);
  process.exitCode = code;
  if (code === STOPPED)
    note(`gymline: stopped, nothing is lost; to go on: ${again(process.argv.slice(2), args)}`);
  if (code === 128 + 9) {
    note(
      "gymline: it was killed, as a machine does that runs out of memory: lower --batch-size or --max-length, or give --gradient-checkpointing; the same command goes on from the last checkpoint",
    );
  }
}

/**
 * The command as a shell takes it, without what would begin anew. The data is named by the place it was read from: by
 * then a dataset's newest version may be another.
 */
function again(args: readonly string[], scriptArgs: readonly string[]): string {
  const place = scriptArgs[scriptArgs.indexOf("--data") + 1] ?? "";
  const kept = args.flatMap((arg, index) => {
    const before = args[index - 1];
    if (arg === "--resume=never" || (arg === "--resume" && args[index + 1] === "never")) return [];
    if (arg === "never" && before === "--resume") return [];
    if (before === "--data") return [place];
    return [arg.startsWith("--data=") ? `--data=${place}` : arg];
  });
  const quoted = kept.map((arg) => (/^[\w./:=@,+-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`));
  return ["gymline", ...quoted].join(" ");
}
