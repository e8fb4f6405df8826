import type { DomainProfile } from "../domains/profile.ts";
import { createToolClassifier, type ToolClassifier } from "../domains/tool-classifier.ts";
import type { RewardConfig } from "./config.ts";
import { scoreEfficiency, scoreOutcome } from "./outcome.ts";
import { round4 } from "./rounding.ts";
import { rubricsOf } from "./rubrics.ts";
import { type CallScores, shownTool } from "./rule-result.ts";
import { ownCalls, placeCalls, type RuleCall, type RuleStep } from "./rule-step.ts";
import { scoreCallsCompatibly } from "./rules-compatible.ts";
import { scoreCallsMended } from "./rules-mended.ts";
import type { CallScore, ScoreDocument, ScoreLayer, ScoreReason, StepScore } from "./score-document.ts";
import {
  type ComposedStep,
  createStepComposer,
  type ModelScores,
  ruleRubricsOf,
  weightedMean,
} from "./step-score.ts";

/** What is scored and how. */
export interface ScoreRequest {
  readonly steps: readonly RuleStep[];
  /** The outcome as recorded; its fields are read as the profile's `outcomeSpec` says. */
  readonly outcome?: unknown;
  readonly profile: DomainProfile;
  readonly config: RewardConfig;
  /** Steps a good solution takes; goes before the configuration's. */
  readonly referenceSteps?: number | null | undefined;
  /** A model's scores by step; null, or a shorter list, where a step has none. */
  readonly modelScores?: readonly (ModelScores | null)[] | undefined;
}

/**
 * Scores a trajectory by the rules, by the scores a model gave (if any), by its outcome and by its length.
 * Pure, and linear in the size of the trajectory.
 *
 * A step without calls is scored as a `respond` call if it has a message and the domain has such a tool;
 * otherwise it stays unscored and does not count.
 */
export function scoreTrajectoryByRules(request: ScoreRequest): ScoreDocument {
  const { profile, config, modelScores = [] } = request;
  const steps: readonly RuleStep[] = Array.isArray(request.steps) ? request.steps : [];
  const compatible = config.composition === "compatible";
  const classifier = classifierOf(profile);
  const calls = placeCalls(steps, callReader(compatible, classifier));
  const scores = compatible ? scoreCallsCompatibly(calls, classifier) : scoreCallsMended(calls, classifier);

  const composer = createStepComposer(rubricsOf(profile), config);
  const means = new ProcessScore();
  const documents: StepScore[] = [];
  let next = 0;
  for (let index = 0; index < steps.length; index++) {
    const from = next;
    while (calls[next]?.step === index) next++;
    const own = scores.slice(from, next);
    const rules = own.map(ruleRubricsOf);
    const reasons: ScoreReason[] = [];
    own.forEach((each, call) => {
      addReasons(reasons, call, each);
    });
    const step = composer.step(rules, modelScores[index] ?? null);
    means.add(step);
    documents.push({
      index,
      total: rounded(step.total),
      rubrics: step.rubrics,
      calls: own.map((each, i) => {
        const rubrics = rules[i];
        return callScore(
          calls[from + i]?.tool ?? "",
          each,
          rubrics === undefined ? null : composer.call(rubrics),
        );
      }),
      reasons,
    });
  }

  const layers = layerScores(request, means);
  return {
    schema: "gymline.score.v1",
    total: round4(layers.total),
    outcome: rounded(layers.outcome),
    process: rounded(layers.process),
    efficiency: rounded(layers.efficiency),
    step_count: steps.length,
    layers: layers.counted,
    steps: documents,
  };
}

/** A few profiles score many trajectories. */
const classifiers = new WeakMap<DomainProfile, ToolClassifier>();

function classifierOf(profile: DomainProfile): ToolClassifier {
  const known = classifiers.get(profile) ?? createToolClassifier(profile);
  classifiers.set(profile, known);
  return known;
}

/** The mean over the steps that were scored, and which layers scored any. */
class ProcessScore {
  count = 0;
  rules = false;
  model = false;
  #sum = 0;
  #scored = 0;

  add(step: ComposedStep): void {
    this.count++;
    if (step.rules) this.rules = true;
    if (step.model) this.model = true;
    if (step.total === null) return;
    this.#sum += step.total;
    this.#scored++;
  }

  mean(): number | null {
    return this.#scored > 0 ? this.#sum / this.#scored : null;
  }
}

interface LayerScores {
  readonly outcome: number | null;
  readonly process: number | null;
  readonly efficiency: number | null;
  readonly total: number;
  readonly counted: ScoreLayer[];
}

function layerScores(request: ScoreRequest, steps: ProcessScore): LayerScores {
  const { config, profile } = request;
  const isNeutral = config.unscored === "neutral";
  const outcome = scoreOutcome(request.outcome, profile.outcomeSpec) ?? (isNeutral ? 0 : null);
  const given = request.referenceSteps ?? config.referenceSteps;
  const reference = typeof given === "number" && Number.isFinite(given) && given > 0 ? given : null;
  // knowlyr-gym totals an empty trajectory 0, whatever its outcome.
  if (steps.count === 0 && config.composition === "compatible" && isNeutral) {
    return { outcome, process: 0, efficiency: 0, total: 0, counted: [] };
  }
  const process = steps.mean();
  const efficiency =
    reference === null || (steps.count === 0 && !isNeutral)
      ? isNeutral
        ? 1
        : null
      : scoreEfficiency(steps.count, reference);
  const total = weightedMean([
    [outcome, config.outcomeWeight],
    [process, config.processWeight],
    [efficiency, config.efficiencyWeight],
  ]);
  const counted: ScoreLayer[] = [];
  if (outcome !== null && config.outcomeWeight > 0) counted.push("outcome");
  if (config.processWeight > 0 && steps.rules) counted.push("rules");
  if (config.processWeight > 0 && steps.model) counted.push("model");
  if (efficiency !== null && config.efficiencyWeight > 0) counted.push("efficiency");
  return { outcome, process, efficiency, total: total ?? 0, counted };
}

/** Which calls a step is scored by. */
function callReader(
  compatible: boolean,
  classifier: ToolClassifier,
): (step: RuleStep) => readonly RuleCall[] {
  const respond = classifier.specOf("respond");
  return (step) => {
    const calls = ownCalls(step);
    if (calls.length > 0) return calls;
    if (compatible) return [{ tool: "", params: {}, output: "" }];
    const message: unknown = step?.message;
    return respond !== null && typeof message === "string" && message.trim() !== ""
      ? [{ tool: "respond", params: { message }, output: "" }]
      : [];
  };
}

function callScore(tool: string, scores: CallScores, total: number | null): CallScore {
  return {
    tool: shownTool(tool),
    redundancy: scores.redundancy.score ?? 1,
    regression: scores.regression.score ?? 1,
    info_utilization: scores.infoUtilization.score,
    total,
  };
}

function addReasons(reasons: ScoreReason[], call: number, scores: CallScores): void {
  for (const { deduction } of [scores.redundancy, scores.regression, scores.infoUtilization]) {
    if (deduction === null) continue;
    const { code, message, penalty } = deduction;
    reasons.push({ call, code, message, penalty });
  }
}

function rounded(score: number | null): number | null {
  return score === null ? null : round4(score);
}
