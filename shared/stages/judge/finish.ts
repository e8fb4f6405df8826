import type { Judgement } from "../../contracts/judgement.ts";
import { judgementKey, judgeStateKey } from "../../contracts/keys.ts";
import { type JudgeReply, judgementOf } from "../../judge/judgement-of.ts";
import type { TokenUsage } from "../../ports/chat-model.ts";
import { noteEvidence, removeEvidence } from "../add-evidence.ts";
import { type CachedAnswer, eraseAnswers } from "./answer-cache.ts";
import type { JudgeCase } from "./judge-case.ts";
import { noteDone, readJudgeState } from "./judge-state.ts";
import type { JudgePorts } from "./ports.ts";
import type { Budget } from "./spend.ts";

export type FinishPorts = Pick<JudgePorts, "store" | "catalog" | "ledger" | "clock" | "scored">;

/**
 * What came of a case. `unanswered`: no question had an answer, so nothing is kept. `dropped`: the trajectory was
 * forgotten or changed meanwhile, and the answers went.
 */
export type Finished =
  | { readonly kind: "judged"; readonly judgement: Judgement }
  | { readonly kind: "unanswered"; readonly reasons: readonly string[] }
  | { readonly kind: "dropped" };

/**
 * Makes the judgement of a case out of its answers: the judgement first, then the note that scoring finds it by, then
 * whoever scores is told, and last it counts as done. Stopped anywhere and repeated, it ends the same.
 */
export async function finishCase(
  judged: JudgeCase,
  answers: ReadonlyMap<string, CachedAnswer>,
  { budget, ...ports }: FinishPorts & { readonly budget: Budget },
): Promise<Finished> {
  const { id, revision, plan } = judged;
  const { judge } = plan;
  const { store, catalog, ledger } = ports;
  if (!(await isCurrent(judged, ports))) {
    await dropCase(judged, ports);
    return { kind: "dropped" };
  }
  const replies = new Map(plan.requests.map(({ hash }) => [hash, replyOf(answers.get(hash), judged)]));
  const reasons = [...replies.values()].flatMap((reply) => (reply.kind === "failed" ? [reply.reason] : []));
  if (reasons.length === replies.size) return { kind: "unanswered", reasons };
  const judgement = withCosts(
    judgementOf({
      trajectoryId: id,
      revision,
      plan,
      replies,
      batch: false,
      createdAt: new Date(ports.clock.now()).toISOString(),
    }),
    { judged, answers, budget },
  );
  await store.put(judgementKey(id, judge), Buffer.from(JSON.stringify(judgement)));
  await noteEvidence({ id, judge }, ledger);
  if ((await catalog.entry(id)) === undefined) {
    await dropCase(judged, ports);
    return { kind: "dropped" };
  }
  await ports.scored([id]);
  await catalog.flush();
  await noteDone({ id, judge, revision, failures: judgement.failures.length }, store);
  return { kind: "judged", judgement };
}

export async function isCurrent(
  { id, revision }: Pick<JudgeCase, "id" | "revision">,
  { catalog }: Pick<JudgePorts, "catalog">,
): Promise<boolean> {
  const entry = await catalog.entry(id);
  return entry !== undefined && entry.revision === revision;
}

/** Removes the answers to a trajectory that was forgotten or changed meanwhile; of one that is gone, everything. */
export async function dropCase(
  { id, plan }: { readonly id: string; readonly plan: { readonly judge: string } },
  { store, catalog, ledger }: Pick<JudgePorts, "store" | "catalog" | "ledger">,
): Promise<void> {
  const { judge } = plan;
  const state = await readJudgeState({ id, judge }, store);
  await eraseAnswers(state?.cache_keys ?? [], store);
  if ((await catalog.entry(id)) !== undefined) return;
  await store.erase(judgementKey(id, judge));
  await store.erase(judgeStateKey(id, judge));
  await removeEvidence(id, ledger);
}

function replyOf(entry: CachedAnswer | undefined, judged: JudgeCase): JudgeReply {
  if (entry === undefined) return { kind: "failed", reason: "not answered" };
  const { answer, failure } = entry;
  if (answer === null) return { kind: "failed", reason: failure?.reason ?? "not answered" };
  return { kind: "answer", answer, cached: !isPaidFor(entry, judged) };
}

function isPaidFor({ paidFor }: CachedAnswer, { id, plan }: JudgeCase): boolean {
  return paidFor.trajectory === id && paidFor.judge === plan.judge;
}

/** Every try that was paid for this judgement counts, also those whose answer could not be read. */
function withCosts(
  judgement: Judgement,
  made: {
    readonly judged: JudgeCase;
    readonly answers: ReadonlyMap<string, CachedAnswer>;
    readonly budget: Budget;
  },
): Judgement {
  const { judged, answers, budget } = made;
  const hashes = [...new Set(judged.plan.requests.map(({ hash }) => hash))];
  const entries = hashes.flatMap((hash) => answers.get(hash) ?? []);
  const tries = entries.flatMap((entry) => (isPaidFor(entry, judged) ? entry.tries : []));
  let usage: TokenUsage = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };
  let usd: number | null = 0;
  for (const each of tries) {
    if (each.usage === null) continue;
    usage = {
      input: usage.input + each.usage.input,
      cacheRead: usage.cacheRead + each.usage.cacheRead,
      cacheWrite: usage.cacheWrite + each.usage.cacheWrite,
      output: usage.output + each.usage.output,
    };
    const cost = budget.costOf(each.usage, each.batch);
    usd = cost === null || usd === null ? null : usd + cost;
  }
  const batch = tries.some((each) => each.batch);
  return { ...judgement, usage, usd, batch, cache_keys: hashes.filter((hash) => answers.has(hash)) };
}
