import type { Judgement } from "../contracts/judgement.ts";
import type { ChatAnswer, TokenUsage } from "../ports/chat-model.ts";
import type { ModelScores } from "../reward/step-score.ts";
import { describeProblem } from "./answer-problems.ts";
import { combineSamples } from "./combine-samples.ts";
import { type AnsweredStep, type JudgeAnswer, parseJudgeAnswer } from "./parse-answer.ts";
import type { JudgingPlan, PlannedRequest } from "./plan.ts";
import { costOf, priceOf } from "./prices.ts";
import { PROMPT_VERSION } from "./prompt.ts";

/** What came of one planned request. */
export type JudgeReply =
  | {
      readonly kind: "answer";
      readonly answer: ChatAnswer;
      /** From the cache, so it cost nothing. */
      readonly cached: boolean;
    }
  /** `reason` goes into the judgement: it must not quote the trajectory. */
  | { readonly kind: "failed"; readonly reason: string };

/** A request with what its answer says. */
export interface ReadReply {
  readonly planned: PlannedRequest;
  readonly reply: JudgeReply;
  /** Null where there was no answer. */
  readonly read: JudgeAnswer | null;
}

/** Reads the answers to a plan; a request without a reply counts as failed. */
export function readReplies(
  plan: JudgingPlan,
  replies: ReadonlyMap<string, JudgeReply>,
): readonly ReadReply[] {
  return plan.requests.map((planned) => {
    const reply = replies.get(planned.hash) ?? { kind: "failed", reason: "not answered" };
    if (reply.kind === "failed") return { planned, reply, read: null };
    const evidence = planned.request.messages.map(({ content }) => content).join("\n");
    const { text, stop } = reply.answer;
    const { rubrics } = plan;
    return {
      planned,
      reply,
      read: parseJudgeAnswer(text, { rubrics, indices: planned.indices, stop, evidence }),
    };
  });
}

/**
 * The judgement that the answers to a plan make up. Windows without a score are failures; their steps are not scored.
 * @param made.replies by the hash of their request
 * @param made.batch whether the answers that were paid for came in batches
 * @param made.createdAt ISO 8601
 */
export function judgementOf(made: {
  readonly trajectoryId: string;
  readonly revision: string;
  readonly plan: JudgingPlan;
  readonly replies: ReadonlyMap<string, JudgeReply>;
  readonly batch: boolean;
  readonly createdAt: string;
}): Judgement {
  const { plan, batch } = made;
  const { config, rubrics, coverage } = plan;
  const all = readReplies(plan, made.replies);
  const steps: Judgement["steps"] = [];
  const failures: Judgement["failures"] = [];
  const manipulation: number[] = [];
  for (const { window, indices } of plan.windows) {
    const asked = all.filter(({ planned }) => planned.window === window);
    if (asked.some(({ read }) => read?.kind === "scored" && read.manipulation === true))
      manipulation.push(window);
    const combined = combineSamples(
      asked.map(({ read }): readonly AnsweredStep[] | null => (read?.kind === "scored" ? read.steps : null)),
      { rubrics, indices },
    );
    for (const { scores, disagreement, ...step } of combined) {
      steps.push({ ...step, scores, ...(disagreement === undefined ? {} : { disagreement }) });
    }
    if (combined.length === 0) failures.push({ window, reason: reasonOf(asked) });
  }
  const paid = all.flatMap(({ reply }) => (reply.kind === "answer" && !reply.cached ? [reply.answer] : []));
  const price = priceOf(config.model, config.prices);
  return {
    schema: "gymline.judgement.v1",
    trajectory_id: made.trajectoryId,
    revision: made.revision,
    judge: plan.judge,
    provider: config.provider,
    model: config.model,
    prompt_version: PROMPT_VERSION,
    rubrics: rubrics.map(({ id, weight }) => ({ id, weight })),
    mode: config.mode,
    samples: config.samples,
    steps: steps.sort((left, right) => left.index - right.index),
    coverage: { ...coverage, scored: steps.length },
    failures,
    manipulation,
    usage: totalUsage(paid.map(({ usage }) => usage)),
    requests: plan.requests.length,
    cached: all.filter(({ reply }) => reply.kind === "answer" && reply.cached).length,
    usd:
      paid.length === 0
        ? 0
        : price === null
          ? null
          : paid.reduce((sum, { usage }) => sum + costOf(usage, price, { batch }), 0),
    batch,
    cache_keys: all.flatMap(({ planned, reply }) => (reply.kind === "answer" ? [planned.hash] : [])),
    created_at: made.createdAt,
  };
}

/** What the judge scored each of the steps; null where it scored nothing. */
export function modelScoresOf(
  judgement: Pick<Judgement, "steps">,
  stepCount: number,
): readonly (ModelScores | null)[] {
  const scores: (ModelScores | null)[] = Array(stepCount).fill(null);
  for (const step of judgement.steps) if (step.index < stepCount) scores[step.index] = step.scores;
  return scores;
}

/** Why a window has no score, each reason once. */
function reasonOf(asked: readonly ReadReply[]): string {
  const reasons = asked.map(({ reply, read }) => {
    if (reply.kind === "failed") return reply.reason;
    if (read === null || read.kind === "scored") return "fewer than half of the answers could be read";
    const details = read.problems.slice(0, 3).map(describeProblem);
    return details.length === 0 ? read.kind : `${read.kind}: ${details.join(", ")}`;
  });
  return [...new Set(reasons)].join("; ");
}

function totalUsage(usages: readonly TokenUsage[]): TokenUsage {
  const sum = (field: keyof TokenUsage): number => usages.reduce((total, usage) => total + usage[field], 0);
  return {
    input: sum("input"),
    cacheRead: sum("cacheRead"),
    cacheWrite: sum("cacheWrite"),
    output: sum("output"),
  };
}
