import {
  type EvaluationEpisode,
  evaluationEpisodeSchema,
} from "../../shared/contracts/evaluation-episode.ts";
import type { Decision, ModelVersion } from "../../shared/contracts/model.ts";
import { type PromotionPolicy, promotionPolicySchema } from "../../shared/contracts/promotion-policy.ts";
import { readEvaluation, resolveEvaluation } from "../../shared/evaluation/stored-evaluation.ts";
import type { ObjectStore } from "../../shared/ports/object-store.ts";
import { type EvaluatedPair, evaluatedPair } from "../../shared/registry/evaluated-pair.ts";
import { decide } from "../../shared/registry/gate.ts";
import { readLine } from "../../shared/registry/model-line.ts";
import {
  challengeOf,
  promoteModel,
  type RegistryPorts,
  rejectModel,
  showModel,
  type Word,
} from "../../shared/registry/registry.ts";
import { EXIT } from "./exit-code.ts";
import { byHand, modelNamed, said, type WordOptions, withRegistry } from "./models-options.ts";
import { decisionLines } from "./models-report.ts";
import { loadSettings, readJson } from "./settings.ts";
import { out } from "./terminal.ts";
import { jsonOf, linesOf } from "./text-lines.ts";
import { UsageError } from "./usage-error.ts";

export interface PromoteOptions extends WordOptions {
  readonly evaluation?: string;
  readonly episodes?: string;
  readonly against?: string;
  readonly policy?: string;
  readonly config?: string;
  readonly dryRun?: boolean;
}

/** Makes a version the champion: by the gate, or by a person's word. */
export async function promote(text: string, options: PromoteOptions): Promise<void> {
  const model = modelNamed(text);
  const { evaluation, episodes, against, dryRun } = options;
  if (evaluation !== undefined && episodes !== undefined) {
    throw new UsageError("give --evaluation or --episodes, not both");
  }
  if (evaluation === undefined && episodes === undefined) {
    if (against !== undefined || dryRun === true) {
      throw new UsageError(
        "--against and --dry-run need --evaluation or --episodes: what the gate decides on",
      );
    }
    const by = byHand(options);
    await withRegistry(options, "write", async (ports) => {
      said(options, { ...model, done: await promoteModel(model, { word: by, ports }) });
    });
    return;
  }
  const policy = policyOf(options);
  await withRegistry(options, dryRun === true ? "read" : "write", async (ports) => {
    const line = await readLine(model.name, ports.ledger);
    await showModel(model, ports);
    const champion = line?.champion ?? null;
    const pair = await pairOf(model, { champion, options, store: ports.store });
    const decision = decide({
      model: model.name,
      candidate: { version: model.version, episodes: pair.candidate },
      champion: champion === null ? null : { version: champion, episodes: pair.champion ?? [] },
      planned: pair.planned,
      policy,
      challenge: challengeOf(line),
      evaluation: pair.evaluation,
    });
    if (dryRun !== true) await carryOut(decision, { model, champion, ports });
    if (options.json === true) out(JSON.stringify(decision));
    else for (const each of decisionLines(decision)) out(each);
    if (decision.verdict !== "promote") process.exitCode = EXIT.rejected;
  });
}

async function carryOut(
  decision: Decision,
  of: { readonly model: ModelVersion; readonly champion: string | null; readonly ports: RegistryPorts },
): Promise<void> {
  const { model, champion, ports } = of;
  const reason = decision.reasons.join("; ") || "all conditions of the policy hold";
  const word: Word = { by: "gate", reason, decision };
  if (decision.verdict === "promote") await promoteModel(model, { word, against: champion, ports });
  // An invalid evaluation says nothing of the candidate: it stays one.
  if (decision.verdict === "reject") await rejectModel(model, { word, ports });
}

/** @throws UsageError, EvaluationError */
async function pairOf(
  { name, version }: ModelVersion,
  of: { readonly champion: string | null; readonly options: PromoteOptions; readonly store: ObjectStore },
): Promise<
  Omit<EvaluatedPair, "planned"> & {
    readonly planned?: EvaluatedPair["planned"];
    readonly evaluation: string;
  }
> {
  const { champion, options, store } = of;
  if (options.evaluation === undefined) {
    const { episodes = "", against } = options;
    if (champion !== null && against === undefined) {
      throw new UsageError(`${name}/${champion} is the champion: give its episodes with --against`);
    }
    const other = champion === null ? null : episodesOf(against ?? "");
    return { candidate: episodesOf(episodes), champion: other, evaluation: episodes };
  }
  const parts = await readEvaluation(store, await resolveEvaluation(store, options.evaluation));
  const agentOf = (wanted: string): string => {
    const found = parts.document.agents.find(
      (agent) => agent.model?.name === name && agent.model.version === wanted,
    );
    if (found !== undefined) return found.name;
    throw new UsageError(
      `no agent of the evaluation is ${name}/${wanted}: name it as \`registered\` in the file of --agents`,
    );
  };
  const names = { candidate: agentOf(version), champion: champion === null ? null : agentOf(champion) };
  return { ...evaluatedPair(parts, names), evaluation: parts.document.id };
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
