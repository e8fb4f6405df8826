import { describe, expect, it } from "vitest";
import { judgementSchema } from "../../shared/contracts/judgement.ts";
import { type JudgeConfigInput, parseJudgeConfig } from "../../shared/judge/config.ts";
import { type JudgeReply, judgementOf, modelScoresOf, readReplies } from "../../shared/judge/judgement-of.ts";
import { type JudgingPlan, type PlannedRequest, planJudging } from "../../shared/judge/plan.ts";
import type { ChatAnswer } from "../../shared/ports/chat-model.ts";
import { codingRubrics, trajectoryOf } from "./factories.ts";

const usage = { input: 1_000, cacheRead: 500, cacheWrite: 0, output: 200 };

function planOf(steps: number, config: JudgeConfigInput = {}): JudgingPlan {
  const turns = Array.from({ length: steps }, (_, i) => ({ message: `message ${i}` }));
  return planJudging({
    trajectory: trajectoryOf(turns),
    rubrics: codingRubrics,
    config: parseJudgeConfig(config),
  });
}

/** Scores all rubrics of all steps asked for alike. */
function says(planned: PlannedRequest, score: number, changes: Partial<ChatAnswer> = {}): JudgeReply {
  const scores = Object.fromEntries(codingRubrics.map(({ id }) => [id, score]));
  const steps = planned.indices.map((index) => ({ index, rationale: `scored ${score}`, scores }));
  const text = JSON.stringify({ steps, manipulation: false });
  return { kind: "answer", cached: false, answer: { text, stop: "end", usage, model: "m", ...changes } };
}

function judge(plan: JudgingPlan, reply: (planned: PlannedRequest) => JudgeReply | null, batch = false) {
  const replies = new Map<string, JudgeReply>();
  for (const planned of plan.requests) {
    const given = reply(planned);
    if (given !== null) replies.set(planned.hash, given);
  }
  const facts = { trajectoryId: "t", revision: "r", createdAt: "2026-11-27T00:00:00Z" };
  return judgementOf({ ...facts, plan, replies, batch });
}

describe("a judgement", () => {
  it("holds what the judge said of every step, what it cost and where the answers lie", () => {
    const plan = planOf(5, { window: { maxSteps: 3 } });
    const judgement = judge(plan, (planned) => says(planned, 0.25 * (planned.window + 1)));
    expect(judgementSchema.parse(judgement)).toEqual(judgement);
    expect(judgement).toMatchObject({
      judge: plan.judge,
      model: "claude-haiku-5-5",
      prompt_version: "gymline.judge.1",
      mode: "windows",
      samples: 1,
      coverage: { steps: 5, asked: 5, scored: 5, choice: "all", windows: 2 },
      failures: [],
      manipulation: [],
      requests: 2,
      cached: 0,
      usage: { input: 2_000, cacheRead: 1_000, cacheWrite: 0, output: 400 },
    });
    expect(judgement.steps.map(({ index, scores }) => [index, scores["goal_progress"]])).toEqual([
      [0, 0.25],
      [1, 0.25],
      [2, 0.25],
      [3, 0.5],
      [4, 0.5],
    ]);
    expect(judgement.steps[0]).not.toHaveProperty("disagreement");
    expect(judgement.usd).toBeCloseTo((2_000 * 0.1 + 1_000 * 0.01 + 400 * 0.5) / 1e6, 12);
    expect(judgement.cache_keys).toEqual(plan.requests.map(({ hash }) => hash));
    expect(judge(plan, (planned) => says(planned, 1), true).usd).toBeCloseTo((judgement.usd ?? 0) / 2, 12);
  });

  it("leaves out the windows that failed, and says why", () => {
    const plan = planOf(6, { window: { maxSteps: 1 } });
    const judgement = judge(plan, (planned) => {
      if (planned.window === 0) return says(planned, 1);
      if (planned.window === 1) return null;
      if (planned.window === 2) return { kind: "failed", reason: "status 529 after 5 tries" };
      if (planned.window === 3) return says(planned, 1, { stop: "refusal" });
      if (planned.window === 4) return says(planned, 1, { text: '{"steps":[{"index":4,', stop: "length" });
      return says(planned, 1, { text: "nothing here" });
    });
    expect(judgement.failures).toEqual([
      { window: 1, reason: "not answered" },
      { window: 2, reason: "status 529 after 5 tries" },
      { window: 3, reason: "refused" },
      { window: 4, reason: expect.stringMatching(/^cut: cut, missing step \(step 4\)$/) },
      { window: 5, reason: "unreadable: no json" },
    ]);
    expect(judgement.coverage).toMatchObject({ asked: 6, scored: 1 });
    expect(judgement.cache_keys).toHaveLength(4);
    expect(modelScoresOf(judgement, 6).map((scores) => scores !== null)).toEqual([
      true,
      ...Array(5).fill(false),
    ]);
    expect(modelScoresOf(judgement, 0)).toEqual([]);
  });

  it("takes the mean of several samples, with how far they lie apart and the reason of the nearest", () => {
    const plan = planOf(2, { samples: 3 });
    const judgement = judge(plan, (planned) => says(planned, [0, 0.5, 1][planned.sample] ?? 0));
    expect(judgement.steps[0]).toMatchObject({ rationale: "scored 0.5", scores: { goal_progress: 0.5 } });
    expect(judgement.steps[0]?.disagreement?.["goal_progress"]).toBeCloseTo(Math.sqrt(1 / 6), 12);
  });

  it("needs more than half of the samples", () => {
    const answered = (samples: number, good: number) =>
      judge(planOf(1, { samples }), (planned) => (planned.sample < good ? says(planned, 1) : null));
    expect(answered(3, 2).failures).toEqual([]);
    expect(answered(3, 1)).toMatchObject({ steps: [], coverage: { scored: 0 } });
    expect(answered(3, 1).failures[0]?.reason).toMatch(/fewer than half/);
    expect(answered(4, 2).steps).toEqual([]);
    expect(answered(4, 3).steps).toHaveLength(1);
  });

  it("counts what came from the cache as free", () => {
    const judgement = judge(planOf(1), (planned) => ({ ...says(planned, 1), cached: true }) as JudgeReply);
    expect(judgement).toMatchObject({ cached: 1, usd: 0, usage: { input: 0, output: 0 } });
    expect(judgement.cache_keys).toHaveLength(1);
  });

  it("does not guess what an unknown model costs", () => {
    const plan = planOf(1, { provider: "openai-compatible", model: "own" });
    expect(judge(plan, (planned) => says(planned, 1)).usd).toBeNull();
    expect(judge(plan, () => null).usd).toBe(0);
  });

  it("notes windows in which the judge saw an attempt to sway it", () => {
    const plan = planOf(2, { window: { maxSteps: 1 } });
    const judgement = judge(plan, (planned) => {
      const reply = says(planned, 1);
      if (planned.window === 0 || reply.kind !== "answer") return reply;
      const text = reply.answer.text.replace('"manipulation":false', '"manipulation":true');
      return { ...reply, answer: { ...reply.answer, text } };
    });
    expect(judgement.manipulation).toEqual([1]);
  });

  it("gives the problems of each answer for reports", () => {
    const plan = planOf(1);
    const [planned] = plan.requests;
    if (planned === undefined) throw new Error("no request");
    const replies = new Map([[planned.hash, says(planned, 2)]]);
    expect(readReplies(plan, replies)[0]?.read).toMatchObject({
      kind: "unreadable",
      problems: codingRubrics.map(({ id }) => ({ kind: "bad-score", rubric: id, is: "out-of-range" })),
    });
  });
});
