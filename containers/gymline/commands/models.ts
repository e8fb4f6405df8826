import { createHash } from "node:crypto";
import type { Command } from "commander";
import { systemClock } from "../../../shared/adapters/local/system-clock.ts";
import {
  type EvaluationEpisode,
  evaluationEpisodeSchema,
} from "../../../shared/contracts/evaluation-episode.ts";
import { type Decision, type ModelVersion, modelVersionSchema } from "../../../shared/contracts/model.ts";
import { type PromotionPolicy, promotionPolicySchema } from "../../../shared/contracts/promotion-policy.ts";
import { decide } from "../../../shared/registry/gate.ts";
import {
  archiveModel,
  challengeOf,
  modelLines as linesOfModels,
  promoteModel,
  type RegistryPorts,
  readDecision,
  readLine,
  registerModel,
  rejectModel,
  rollBackModel,
  showModel,
  type Word,
} from "../../../shared/registry/registry.ts";
import { manifestKey } from "../../../shared/stages/stored-manifest.ts";
import { findVersion } from "../../../shared/versions/find-version.ts";
import { numeric } from "../dataset-options.ts";
import { EXIT } from "../exit-code.ts";
import { decisionLines, modelLines, modelsTable } from "../models-report.ts";
import { collect, examples } from "../options.ts";
import { loadSettings, readJson } from "../settings.ts";
import { inStore, type OpenStore, type StoreOption, storeOrDeployment } from "../store-access.ts";
import { note, out } from "../terminal.ts";
import { jsonOf, linesOf } from "../text-lines.ts";
import { UsageError } from "../usage-error.ts";

interface ModelsOptions extends StoreOption {
  readonly json?: boolean;
}

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

interface WordOptions extends ModelsOptions {
  readonly reason?: string;
  readonly by: string;
}

interface PromoteOptions extends WordOptions {
  readonly episodes?: string;
  readonly against?: string;
  readonly policy?: string;
  readonly config?: string;
  readonly dryRun?: boolean;
}

const MODEL = "<model>/<version>";

export function addModels(program: Command): void {
  const models = program
    .command("models")
    .description("look after trained models: versions, champion and candidates; docs/LOOP.md tells more");
  examples(models, [
    "gymline models list --store out",
    "gymline models register agent/2 --files runs/sft/trained --dataset sft/5750",
    "gymline models promote agent/2 --episodes two.jsonl --against one.jsonl",
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
    .option("--algorithm <name>", "sft, dpo or grpo")
    .option("--trainer-commit <hash>", "commit of the trainer")
    .option("--metric <name=value>", "a figure of its training (may be given several times)", collect);
  command.action(register);
}

function promoteCommand(models: Command): void {
  const command = word(
    sub(models, `promote ${MODEL}`, "make a version the champion: by the policy's gate, or by hand"),
  )
    .option("--episodes <file>", "episodes of the version's evaluation, a line each; the gate then decides")
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
      if (model === undefined || line.name === model) lines.push(line);
    if (options.json === true) for (const line of lines) out(JSON.stringify(line));
    else if (lines.length === 0) note("no model yet; gymline models register enters one");
    else out(modelsTable(lines));
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

async function promote(text: string, options: PromoteOptions): Promise<void> {
  const model = modelNamed(text);
  const episodes = options.episodes === undefined ? undefined : episodesOf(options.episodes);
  if (episodes === undefined) {
    if (options.against !== undefined || options.dryRun === true) {
      throw new UsageError(
        "--against and --dry-run go with --episodes: the gate needs the candidate's episodes",
      );
    }
    const by = byHand(options);
    await withRegistry(options, "write", async (ports) => {
      said(options, { ...model, done: await promoteModel(model, { word: by, ports }) });
    });
    return;
  }
  const policy = policyOf(options);
  await withRegistry(options, options.dryRun === true ? "read" : "write", async (ports) => {
    const line = await readLine(model.name, ports.ledger);
    await showModel(model, ports);
    const champion = line?.champion ?? null;
    if (champion !== null && options.against === undefined) {
      throw new UsageError(`${model.name}/${champion} is the champion: give its episodes with --against`);
    }
    const decision = decide({
      model: model.name,
      candidate: { version: model.version, episodes },
      champion: champion === null ? null : { version: champion, episodes: episodesOf(options.against ?? "") },
      policy,
      challenge: challengeOf(line),
      evaluation: options.episodes,
    });
    if (options.dryRun !== true) {
      const reason = decision.reasons.join("; ") || "all conditions of the policy hold";
      const gate: Word = { by: "gate", reason, decision };
      if (decision.verdict === "promote") await promoteModel(model, { word: gate, against: champion, ports });
      // An invalid evaluation says nothing of the candidate: it stays one.
      if (decision.verdict === "reject") await rejectModel(model, { word: gate, ports });
    }
    if (options.json === true) out(JSON.stringify(decision));
    else for (const each of decisionLines(decision)) out(each);
    if (decision.verdict !== "promote") process.exitCode = EXIT.rejected;
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

async function withRegistry(
  options: ModelsOptions,
  mode: "read" | "write",
  work: (ports: RegistryPorts & OpenStore) => Promise<void>,
): Promise<void> {
  await inStore(options, { mode, work: (opened) => work({ ...opened, clock: systemClock }) });
}

function said(options: ModelsOptions, what: ModelVersion & { readonly done: string }): void {
  if (options.json === true) out(JSON.stringify({ schema: "gymline.model-change.v1", ...what }));
  else out(`${what.name}/${what.version}: ${what.done}`);
}

/** @throws UsageError */
function modelNamed(text: string): ModelVersion {
  const [name, version, ...rest] = text.split("/");
  const parsed = modelVersionSchema.safeParse({ name, version });
  if (rest.length === 0 && parsed.success) return parsed.data;
  throw new UsageError(`"${text}" names no version of a model: give ${MODEL}, such as agent/2`);
}

/** @throws UsageError */
function byHand({ reason, by }: WordOptions): Word {
  if (reason === undefined) throw new UsageError("give --reason: why, for those who look at it later");
  return { by, reason };
}

/** @throws UsageError */
function metricOf(text: string): readonly [string, number] {
  const at = text.lastIndexOf("=");
  if (at < 1) throw new UsageError(`--metric takes <name>=<number>, not "${text}"`);
  return [text.slice(0, at), numeric("--metric", text.slice(at + 1)) ?? Number.NaN];
}

/** @throws UsageError naming file and line */
function episodesOf(path: string): readonly EvaluationEpisode[] {
  return linesOf(path).map(({ text, line }) => {
    const parsed = evaluationEpisodeSchema.safeParse(jsonOf(text, `${path}:${line}`));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new UsageError(
      `${path}:${line} is no episode of an evaluation: ${issue?.path.join(".")}: ${issue?.message}`,
    );
  });
}

/** @throws UsageError */
function policyOf({ policy, config }: PromoteOptions): PromotionPolicy {
  if (policy === undefined) return loadSettings(config === undefined ? {} : { config }).config.promotion;
  const parsed = promotionPolicySchema.safeParse(readJson(policy));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(
    `${policy} is no promotion policy: ${issue?.path.join(".") || "$"}: ${issue?.message}`,
  );
}

async function datasetOf(
  text: string,
  { store, catalog }: OpenStore,
): Promise<{ readonly name: string; readonly version: string; readonly manifest_sha256: string }> {
  const { name, version } = await findVersion(text, catalog);
  const bytes = await store.read(manifestKey({ name, version }));
  return { name, version, manifest_sha256: createHash("sha256").update(bytes).digest("hex") };
}
