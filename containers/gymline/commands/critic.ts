import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { openForReading } from "../../../shared/adapters/local/local-store.ts";
import { readPaths } from "../../../shared/adapters/local/read-paths.ts";
import { loadCritic } from "../../../shared/adapters/onnx/load-critic.ts";
import { trajectoryKey } from "../../../shared/contracts/keys.ts";
import { CRITIC_DOCUMENT, parseCritic } from "../../../shared/critic/critic-document.ts";
import { criticRun } from "../../../shared/critic/critic-run.ts";
import {
  criticGroup,
  criticSet,
  criticTableHeader,
  criticTableLines,
  type LabelledTrajectory,
} from "../../../shared/critic/critic-table.ts";
import { criticFeatureNames, FEATURES_VERSION } from "../../../shared/critic/features.ts";
import type { DomainProfile } from "../../../shared/domains/profile.ts";
import { readDocument } from "../../../shared/stages/compute-tasks.ts";
import { profileFor } from "../../../shared/stages/score-trajectory.ts";
import type { Trajectory } from "../../../shared/trajectory/schema.ts";
import { criticReport } from "../critic-report.ts";
import { EXIT } from "../exit-code.ts";
import { digits } from "../numbers.ts";
import { examples, readingOptions } from "../options.ts";
import { type Output, openOutput } from "../output.ts";
import { Rejections, readingSettings } from "../reading.ts";
import { loadSettings, type SettingsOptions } from "../settings.ts";
import { many, note, out } from "../terminal.ts";
import { runTrainer, trainerPython } from "../trainer.ts";
import { UsageError } from "../usage-error.ts";

export function addCritic(program: Command): void {
  const critic = program
    .command("critic")
    .description("train a model that estimates P(success) after each step, and see how good it is");
  addTable(critic);
  addTrain(critic);
  addReport(critic);
  addCheck(critic);
  examples(critic, [
    "gymline critic table --store out > table.jsonl",
    "gymline critic train --table table.jsonl --out critic",
    "gymline critic report critic",
  ]);
  for (const command of critic.commands) command.exitOverride();
}

interface TableOptions extends SettingsOptions {
  readonly store?: string;
  readonly out?: string;
}

function addTable(critic: Command): void {
  const command = critic
    .command("table")
    .description(
      "write the training table: features of every prefix of the trajectories whose outcome is known",
    )
    .argument("[paths...]", "files and folders of agent logs, where no store is given")
    .option("-s, --store <dir>", "take the trajectories of this store")
    .option("-d, --domain <name|file>", "take everything for this domain")
    .option("-o, --out <file>", "write to this file instead of standard output");
  readingOptions(command);
  examples(command, [
    "gymline critic table --store out > table.jsonl",
    "gymline critic table logs/team-a logs/team-b --out table.jsonl",
  ]).action(table);
}

async function table(paths: readonly string[], options: TableOptions): Promise<void> {
  if ((options.store === undefined) === (paths.length === 0)) {
    throw new UsageError("give either --store <dir> or files and folders of agent logs");
  }
  const output = await openOutput(options.out);
  const writer = new TableWriter(output);
  try {
    if (options.store === undefined) await tableOfPaths(paths, options, writer);
    else await tableOfStore(options.store, options, writer);
    await output.finish();
  } catch (error) {
    await output.abort();
    throw error;
  }
  writer.report();
}

async function tableOfPaths(
  paths: readonly string[],
  options: TableOptions,
  writer: TableWriter,
): Promise<void> {
  const settings = await readingSettings(paths, options);
  const rejections = new Rejections();
  await writer.begin();
  for await (const item of readPaths({ paths, settings: settings.ingest })) {
    if (item.kind === "rejected") rejections.add(item.rejection);
    if (item.kind === "trajectory") await writer.add(item.read.trajectory, settings.score.profile);
  }
  rejections.report();
}

async function tableOfStore(store: string, options: TableOptions, writer: TableWriter): Promise<void> {
  const { profile } = loadSettings(options).plan;
  const local = openForReading(store);
  try {
    await writer.begin();
    for await (const { id, success } of local.catalog.select({})) {
      if (success === null) writer.unlabelled += 1;
      else await writer.add(readDocument(await local.store.read(trajectoryKey(id))), profile);
    }
  } finally {
    await local.close();
  }
}

class TableWriter {
  unlabelled = 0;
  #labelled = 0;
  #successes = 0;
  readonly #groups = new Set<string>();
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  async begin(): Promise<void> {
    await this.#output.write(criticTableHeader());
  }

  async add(trajectory: Trajectory, explicit: DomainProfile | undefined): Promise<void> {
    const { id, outcome, task } = trajectory.extra.gymline;
    if (outcome.success === null) {
      this.unlabelled += 1;
      return;
    }
    const group = criticGroup(task, id);
    const row: LabelledTrajectory = {
      id,
      group,
      task: task.id ?? "",
      set: criticSet(trajectory),
      success: outcome.success,
      run: criticRun(trajectory, profileFor(trajectory, explicit)),
    };
    this.#labelled += 1;
    if (outcome.success) this.#successes += 1;
    this.#groups.add(group);
    await this.#output.write(criticTableLines(row));
  }

  report(): void {
    const left = this.unlabelled === 0 ? "" : `; ${this.unlabelled} without a known outcome left out`;
    note(
      `${many(this.#labelled, "trajectory", "trajectories")} (${this.#successes} solved) of ${many(this.#groups.size, "group")}${left}`,
    );
  }
}

interface TrainOptions {
  readonly table: string;
  readonly out: string;
  readonly python?: string;
  readonly seed: string;
  readonly folds: string;
}

function addTrain(critic: Command): void {
  const command = critic
    .command("train")
    .description("train a critic from a table; needs Python (npm run trainer:setup)")
    .requiredOption("-t, --table <file>", "table that gymline critic table wrote")
    .requiredOption("-o, --out <dir>", "folder for critic.onnx and critic.json")
    .option("--python <path>", "Python with the trainer's packages (default: that of .venv)")
    .option("--seed <n>", "seed of folds, trees and bootstrap", "0")
    .option("--folds <n>", "folds of the cross-validation", "5");
  examples(command, [
    "gymline critic train --table table.jsonl --out critic",
    "gymline critic report critic",
  ]).action(train);
}

async function train(options: TrainOptions): Promise<void> {
  const python = trainerPython({
    python: options.python,
    extra: "critic",
    modules: ["numpy", "scipy", "sklearn", "onnx", "onnxruntime"],
  });
  const args = ["--table", options.table, "--out", options.out];
  const code = await runTrainer(python, "critic.py", [
    ...args,
    ...["--seed", digits("--seed", options.seed), "--folds", digits("--folds", options.folds)],
  ]);
  if (code !== 0) {
    process.exitCode = EXIT.fault;
    return;
  }
  const { document, model } = await loadCritic(options.out);
  await model.close();
  out(criticReport(document));
}

function addReport(critic: Command): void {
  const command = critic
    .command("report")
    .description("print how good a critic was on trajectories of repositories that it had not seen")
    .argument("<dir>", "folder of the critic")
    .option("--json", "print critic.json as it is");
  examples(command, ["gymline critic report critic"]).action(report);
}

function report(folder: string, options: { readonly json?: boolean }): void {
  const path = join(folder, CRITIC_DOCUMENT);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`${path} cannot be read (${why}): give the folder of gymline critic train`, {
      cause,
    });
  }
  const document = parseCritic(text, path);
  out(options.json === true ? JSON.stringify(document) : criticReport(document));
}

function addCheck(critic: Command): void {
  const command = critic
    .command("check")
    .description("load a critic and have it predict, to see that it works with this version on this machine")
    .argument("<dir>", "folder of the critic");
  examples(command, ["gymline critic check critic"]).action(check);
}

async function check(folder: string): Promise<void> {
  const { document, model } = await loadCritic(folder);
  try {
    const [value = Number.NaN] = await model.predict(Float32Array.from(document.features.means), 1);
    out(
      `${folder} works: features version ${FEATURES_VERSION} (${criticFeatureNames.length}), ` +
        `P(success) of the average prefix ${value.toFixed(3)}`,
    );
  } finally {
    await model.close();
  }
}
