import type { ChatRequest } from "../ports/chat-model.ts";
import type { Rubric } from "../reward/rubrics.ts";
import { answerSchema } from "./answer-schema.ts";
import { chooseSteps } from "./choose-steps.ts";
import type { JudgeConfig } from "./config.ts";
import type { EstimatedRequest } from "./estimate.ts";
import { judgeId, requestHash } from "./judge-id.ts";
import { type JudgedTrajectory, judgeView } from "./judge-steps.ts";
import { systemPrompt, windowPrompt } from "./prompt.ts";
import { packWindows } from "./windows.ts";

export interface PlannedWindow {
  /** From 0. */
  readonly window: number;
  /** Numbers of the steps to score, ascending. */
  readonly indices: readonly number[];
}

export interface PlannedRequest extends PlannedWindow, EstimatedRequest {
  /** From 0; samples of one window ask the same. */
  readonly sample: number;
  readonly request: ChatRequest;
  /** Key of the answer in the cache, SHA-256 in hex. */
  readonly hash: string;
}

/** What there is to ask about one trajectory. Without rubrics that a model judges, or without steps, it is nothing. */
export interface JudgingPlan {
  /** Id of this way of judging. */
  readonly judge: string;
  readonly config: JudgeConfig;
  /** Those a model judges. */
  readonly rubrics: readonly Rubric[];
  readonly windows: readonly PlannedWindow[];
  /** By window, then by sample. */
  readonly requests: readonly PlannedRequest[];
  readonly coverage: {
    readonly steps: number;
    readonly asked: number;
    readonly choice: "all" | "even";
    readonly windows: number;
  };
}

/** JSON around one step's rationale and scores. */
const STEP_TOKENS = 80;
const RUBRIC_TOKENS = 10;
const ANSWER_TOKENS = 40;

/**
 * Plans the calls that judge a trajectory.
 * @param rubrics a domain's; those that rules score are left out
 */
export function planJudging(judged: {
  readonly trajectory: JudgedTrajectory;
  readonly rubrics: readonly Rubric[];
  readonly config: JudgeConfig;
}): JudgingPlan {
  const { config } = judged;
  const rubrics = judged.rubrics.filter(({ evaluator }) => evaluator === "model");
  const view = judgeView(judged.trajectory, config.window.fields);
  const steps = view.steps.length;
  const { choice, indices } =
    rubrics.length === 0 ? { choice: "all" as const, indices: [] } : chooseSteps(steps, config.maxSteps);
  const { maxCharacters, contextCharacters } = config.window;
  const sizes = indices.map((index) => (view.steps[index]?.text.length ?? 0) + 1);
  const packed = packWindows(sizes, {
    maxSteps: config.mode === "steps" ? 1 : config.window.maxSteps,
    maxCharacters,
  });
  const windows = packed.map((positions, window) => ({
    window,
    indices: positions.flatMap((position) => indices[position] ?? []),
  }));
  const system = systemPrompt(rubrics);
  const schema = answerSchema(rubrics);
  const requests = windows.flatMap(({ window, indices }) => {
    const answerTokens = ANSWER_TOKENS + indices.length * (STEP_TOKENS + rubrics.length * RUBRIC_TOKENS);
    const request: ChatRequest = {
      system,
      messages: [{ role: "user", content: windowPrompt({ view, indices, contextCharacters }) }],
      schema,
      // Twice what is expected: a cut answer is paid for and of little use.
      maxTokens: answerTokens * 2 + config.thinkingTokens,
      ...(config.temperature === undefined ? {} : { temperature: config.temperature }),
    };
    return Array.from({ length: config.samples }, (_, sample): PlannedRequest => {
      const hash = requestHash({ request, provider: config.provider, model: config.model, sample });
      return { window, indices, sample, request, answerTokens, hash };
    });
  });
  return {
    judge: judgeId(config, rubrics),
    config,
    rubrics,
    windows,
    requests,
    coverage: { steps, asked: indices.length, choice, windows: windows.length },
  };
}
