import type { RewardConfig } from "./config.ts";
import type { Rubric } from "./rubrics.ts";
import type { CallScores } from "./rule-result.ts";

/** Scores a model gave a step, by rubric id. */
export type ModelScores = Readonly<Record<string, number>>;

/** Rule scores of one call, or of a step as the mean over its calls; null where a rule does not apply. */
export interface RuleRubrics {
  readonly non_redundancy: number | null;
  readonly info_utilization: number | null;
}

/** What each layer says of a step, each in [0, 1]; null where it says nothing. */
export interface StepLayers {
  readonly rules: number | null;
  readonly model: number | null;
  readonly critic: number | null;
  readonly human: number | null;
}

/** What is known of a step before it is composed. */
export interface StepInput {
  readonly calls: readonly RuleRubrics[];
  readonly model: ModelScores | null;
  /** Change of the critic's value by the step, in [-1, 1]. */
  readonly credit?: number | null;
  /** Mean of people's scores of the step. */
  readonly human?: number | null;
}

/** A step's total with what it rests on. */
export interface ComposedStep {
  readonly total: number | null;
  /** The total without people and without calibration. */
  readonly automatic: number | null;
  /** What of the total's weight is not people's, in [0, 1]. */
  readonly automaticShare: number;
  /** The model layer before calibration. */
  readonly rawModel: number | null;
  readonly rubrics: Record<string, number>;
  readonly layers: StepLayers;
}

const neutral = 0.5;

export function ruleRubricsOf(scores: CallScores): RuleRubrics {
  const redundancy = scores.redundancy.score ?? 1;
  const regression = scores.regression.score ?? 1;
  return {
    non_redundancy: Math.min(redundancy, regression),
    info_utilization: scores.infoUtilization.score,
  };
}

/** Composes the scores of steps and calls; made once per trajectory. */
export interface StepComposer {
  readonly step: (input: StepInput) => ComposedStep;
  /** Weighted mean of a call's rule rubrics; null if none applies. */
  readonly call: (rules: RuleRubrics) => number | null;
}

export function createStepComposer({
  rubrics,
  config,
  calibrateModel,
}: {
  readonly rubrics: readonly Rubric[];
  readonly config: RewardConfig;
  /** Applied to the model layer of each step that a model scored. */
  readonly calibrateModel?: ((score: number) => number) | undefined;
}): StepComposer {
  const models = rubrics.filter((rubric) => rubric.evaluator === "model");
  const weights = ruleWeightsOf(rubrics, config);
  const compatible = config.composition === "compatible";
  const neutralModels = config.unscored === "neutral";
  const ruleLayerOf = (rules: RuleRubrics): number | null => {
    const redundancy = rules.non_redundancy === null ? 0 : weights.non_redundancy;
    const information = rules.info_utilization === null ? 0 : weights.info_utilization;
    const weight = redundancy + information;
    if (!(weight > 0)) return null;
    return clamp(
      (redundancy * (rules.non_redundancy ?? 0) + information * (rules.info_utilization ?? 0)) / weight,
    );
  };
  return {
    call: ruleLayerOf,
    step: ({ calls, model, credit = null, human = null }) => {
      const rules = meanRuleRubrics(calls);
      const scores: Record<string, number> = {};
      if (rules.non_redundancy !== null && weights.non_redundancy > 0) {
        scores["non_redundancy"] = rules.non_redundancy;
      }
      if (rules.info_utilization !== null && weights.info_utilization > 0) {
        scores["info_utilization"] = rules.info_utilization;
      }
      const ruleLayer = ruleLayerOf(rules);
      let modelScored = false;
      const judged: [number | null, number][] = [];
      if (model !== null || neutralModels) {
        for (const rubric of models) {
          const given = modelScore(model, rubric.id, config);
          if (given !== null) modelScored = true;
          const value = given ?? (neutralModels ? neutral : null);
          if (value !== null) scores[rubric.id] = value;
          judged.push([value, rubric.weight]);
        }
      }
      const mean = weightedMean(judged);
      const modelLayer =
        mean !== null && modelScored && calibrateModel !== undefined ? calibrateModel(mean) : mean;
      if (compatible) {
        const total = weightedMean([
          // In the order of the sets, which decides the last bit and thereby some fourth decimals.
          ...judged,
          [rules.info_utilization, weights.info_utilization],
          [rules.non_redundancy, weights.non_redundancy],
        ]);
        const layers = {
          rules: ruleLayer,
          model: modelScored ? modelLayer : null,
          critic: null,
          human: null,
        };
        return {
          total,
          automatic: total,
          automaticShare: 1,
          rawModel: layers.model,
          rubrics: scores,
          layers,
        };
      }
      const critic = credit === null ? null : clamp((1 + credit) / 2);
      if (critic !== null) scores["value_gain"] = critic;
      const termsWith = (ofModel: number | null) =>
        [
          [ruleLayer, config.ruleWeight],
          [ofModel, config.modelWeight],
          [critic, config.criticStepWeight],
        ] as const;
      const meanWith = (ofModel: number | null, people: number | null): number | null =>
        weightedMean([...termsWith(ofModel), [people, config.humanStepWeight]]);
      const total = meanWith(modelLayer, human);
      const automatic = human === null && modelLayer === mean ? total : meanWith(mean, null);
      const people = human === null ? 0 : config.humanStepWeight;
      const others = weightOf(termsWith(modelLayer));
      const automaticShare = people > 0 ? others / (others + people) : 1;
      const layers = {
        rules: config.ruleWeight > 0 ? ruleLayer : null,
        model: modelScored ? modelLayer : null,
        critic: config.criticStepWeight > 0 ? critic : null,
        human: config.humanStepWeight > 0 ? human : null,
      };
      const rawModel = modelScored ? mean : null;
      return { total, automatic, automaticShare, rawModel, rubrics: scores, layers };
    },
  };
}

/** Mean of each rule over the calls it applies to: a step with several calls is scored per call. */
function meanRuleRubrics(calls: readonly RuleRubrics[]): RuleRubrics {
  const [only] = calls;
  if (only !== undefined && calls.length === 1) return only;
  return {
    non_redundancy: weightedMean(calls.map((call) => [call.non_redundancy, 1])),
    info_utilization: weightedMean(calls.map((call) => [call.info_utilization, 1])),
  };
}

/**
 * What the rule rubrics of a set weigh. A set that has none, because a model judges all of it, is still
 * subject to the rules: both count, in equal parts, in the rule layer. (Not so in knowlyr-gym.)
 */
function ruleWeightsOf(
  rubrics: readonly Rubric[],
  config: RewardConfig,
): Readonly<Record<keyof RuleRubrics, number>> {
  const weightOf = (id: string): number => rubrics.find((rubric) => rubric.id === id)?.weight ?? 0;
  const own = {
    non_redundancy: weightOf("non_redundancy"),
    info_utilization: weightOf("info_utilization"),
  };
  const none = own.non_redundancy + own.info_utilization === 0;
  return none && config.composition === "mended" ? { non_redundancy: 1, info_utilization: 1 } : own;
}

function modelScore(model: ModelScores | null, id: string, config: RewardConfig): number | null {
  if (model === null || !(config.modelWeight > 0) || !Object.hasOwn(model, id)) return null;
  const value = model[id];
  return typeof value === "number" && Number.isFinite(value) ? clamp(value) : null;
}

/** Weighted mean over the values that are there; null if none is or they weigh nothing. */
export function weightedMean(
  values: readonly (readonly [value: number | null, weight: number])[],
): number | null {
  let sum = 0;
  let total = 0;
  for (const [value, weight] of values) {
    if (value === null) continue;
    sum += weight * value;
    total += weight;
  }
  return total > 0 ? clamp(sum / total) : null;
}

/** What the values that are there weigh together. */
export function weightOf(values: readonly (readonly [value: number | null, weight: number])[]): number {
  return values.reduce((sum, [value, weight]) => sum + (value === null ? 0 : weight), 0);
}

export function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
