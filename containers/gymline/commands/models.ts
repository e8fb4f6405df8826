import { createHash } from "node:crypto";
import type { Command } from "commander";
import type { Decision } from "../../../shared/contracts/model.ts";
import { modelLines as linesOfModels, wholeLine } from "../../../shared/registry/model-line.ts";
import {
  archiveModel,
  readDecision,
  registerModel,
  rejectModel,
  rollBackModel,
  showModel,
} from "../../../shared/registry/registry.ts";
import { manifestKey } from "../../../shared/stages/stored-manifest.ts";
import { findVersion } from "../../../shared/versions/find-version.ts";
import { numeric } from "../dataset-options.ts";
import {
  byHand,
  MODEL,
  type ModelsOptions,
  modelNamed,
  said,
  type WordOptions,
  withRegistry,
} from "../models-options.ts";
import { promote } from "../models-promote.ts";
import { decisionLines, modelLines, modelsTable } from "../models-report.ts";
import { collect, examples } from "../options.ts";
import { type OpenStore, storeOrDeployment } from "../store-access.ts";
import { note, out, printable } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface RegisterOptions extends ModelsOptions {
  readonly files: string;
  readonly dataset?: string;
  readonly base?: string;
  readonly parent?: string;
  readonly training?: string;
  readonly algorithm?: string;
  readonly trainerCommit?: string;
  readonly metric?: readonly string[];
}

export function addModels(program: Command): void {
  const models = program
    .command("models")
    .description("look after trained models: versions, champion and candidates; docs/LOOP.md tells more");
  examples(models, [
    "gymline models list --store out",
    "gymline models register agent/2 --files runs/sft/trained --dataset sft/5750",
    "gymline models promote agent/2 --evaluation 3f2a",
    "gymline models promote agent/2 --episodes two.jsonl --against one.jsonl --dry-run",
    'gymline models rollback agent --reason "worse in production"',
  ]);
  sub(models, "list [model]", "list the versions of all models, or of one, with their states").action(list);
  sub(models, `show ${MODEL}`, "show what a version was made of, and what was decided on it").action(show);
  registerCommand(models);
  promoteCommand(models);
  word(sub(models, `reject ${MODEL}`, "say no to a candidate")).action(reject);
  word(sub(models, "rollback <model>", "make the champion before the champion again")).action(rollback);
  word(sub(models, `archive ${MODEL}`, "put a version away that is no champion")).action(archive);
  for (const command of models.commands) command.exitOverride();
}

function sub(models: Command, usage: string, description: string): Command {
  const [name = "", ...rest] = usage.split(" ");
  const command = models.command(name).description(description);
  // `<model>/<version>` is one word to people, and one argument.
  for (const argument of rest) command.argument(argument === MODEL ? "<version>" : argument, argument);
  return storeOrDeployment(command.option("--json", "print JSON"));
}

function word(command: Command): Command {
  return command
    .option("--reason <text>", "why; kept with the version")
    .option("--by <name>", "who says so", process.env["USER"] ?? "person");
}

function registerCommand(models: Command): void {
  const command = sub(models, `register ${MODEL}`, "enter a trained version as a candidate")
    .requiredOption("--files <place>", "where its files are: folder, key prefix of the store, or address")
    .option("--dataset <version>", "<dataset>/<version> of the store that it was trained on")
    .option("--base <model>", "folder or name of the model that training started from")
    .option("--parent <version>", "version of the same model that training started from")
    .option("--training <id>", "id of its training")
    .option("--algorithm <name>", "sft, dpo, grpo or prm")
    .option("--trainer-commit <hash>", "commit of the trainer")
    .option("--metric <name=value>", "a figure of its training (may be given several times)", collect);
  command.action(register);
}

function promoteCommand(models: Command): void {
  const command = word(
    sub(models, `promote ${MODEL}`, "make a version the champion: by the policy's gate, or by hand"),
  )
    .option(
      "--evaluation <id>",
      "evaluation of the store with the version and the champion (gymline evaluate); the gate then decides",
    )
    .option("--episodes <file>", "instead of an evaluation: episodes of the version, a line each")
    .option("--against <file>", "episodes of the champion, on the same tasks with the same seeds")
    .option("--policy <file>", "promotion policy as JSON (default: `promotion` of the configuration file)")
    .option("-c, --config <file>", "configuration file (default: ./gymline.json, if there is one)")
    .option("--dry-run", "show what the gate says and change nothing");
  command.addHelpText("after", "\nExit code 2: the gate does not promote.").action(promote);
}

async function list(model: string | undefined, options: ModelsOptions): Promise<void> {
  await withRegistry(options, "read", async ({ ledger }) => {
    const lines = [];
    for await (const line of linesOfModels(ledger))
      if (model === undefined || line.name === model) lines.push(await wholeLine(line, ledger));
    if (options.json === true) for (const line of lines) out(JSON.stringify(line));
    else if (lines.length === 0) {
      const none = model === undefined ? "no model" : `no model "${printable(model)}"`;
      note(`${none} yet; gymline models register enters one`);
    } else out(modelsTable(lines));
  });
}

async function show(text: string, options: ModelsOptions): Promise<void> {
  await withRegistry(options, "read", async (ports) => {
    const model = await showModel(modelNamed(text), ports);
    const decisions: Decision[] = [];
    for (const { decision } of model.changes) {
      const found = decision === null ? undefined : await readDecision(decision, ports.store);
      if (found !== undefined) decisions.push(found);
    }
    if (options.json === true) {
      out(JSON.stringify({ schema: "gymline.model-show.v1", ...model, decisions }));
      return;
    }
    for (const line of [...modelLines(model), ...decisions.flatMap(decisionLines)]) out(line);
  });
}

async function register(text: string, options: RegisterOptions): Promise<void> {
  const model = modelNamed(text);
  const metrics = Object.fromEntries((options.metric ?? []).map(metricOf));
  await withRegistry(options, "write", async (ports) => {
    const dataset = options.dataset === undefined ? null : await datasetOf(options.dataset, ports);
    const done = await registerModel(
      {
        ...model,
        files: options.files,
        metrics,
        lineage: {
          dataset,
          base: options.base ?? null,
          parent: options.parent ?? null,
          training: options.training ?? null,
          job: null,
          algorithm: options.algorithm ?? null,
          trainer_commit: options.trainerCommit ?? null,
        },
      },
      ports,
    );
    said(options, { ...model, done });
  });
}

async function reject(text: string, options: WordOptions): Promise<void> {
  const model = modelNamed(text);
  const by = byHand(options);
  await withRegistry(options, "write", async (ports) => {
    said(options, { ...model, done: await rejectModel(model, { word: by, ports }) });
  });
}

async function rollback(name: string, options: WordOptions): Promise<void> {
  const by = byHand(options);
  await withRegistry(options, "write", async (ports) => {
    const { from, to } = await rollBackModel(name, { word: by, ports });
    if (options.json === true) out(JSON.stringify({ schema: "gymline.model-rollback.v1", name, from, to }));
    else out(`${name}/${to} is the champion again; ${name}/${from} is archived`);
  });
}

async function archive(text: string, options: WordOptions): Promise<void> {
  const model = modelNamed(text);
  const by = byHand(options);
  await withRegistry(options, "write", async (ports) => {
    said(options, { ...model, done: await archiveModel(model, { word: by, ports }) });
  });
}

/** @throws UsageError */
function metricOf(text: string): readonly [string, number] {
  const at = text.lastIndexOf("=");
  if (at < 1) throw new UsageError(`--metric takes <name>=<number>, not "${text}"`);
  return [text.slice(0, at), numeric("--metric", text.slice(at + 1)) ?? Number.NaN];
}

async function datasetOf(
  text: string,
  { store, catalog }: OpenStore,
): Promise<{ readonly name: string; readonly version: string; readonly manifest_sha256: string }> {
  const { name, version } = await findVersion(text, catalog);
  const bytes = await store.read(manifestKey({ name, version }));
  return { name, version, manifest_sha256: createHash("sha256").update(bytes).digest("hex") };
}
