import type { DomainProfile } from "../domains/profile.ts";
import type { RewardConfig } from "./config.ts";
import type { Calibration, CriticReading, HumanReading, ModelReading, StepReference } from "./readings.ts";
import { type RubricBook, rubricsOf } from "./rubrics.ts";
import { placeCalls, type RuleStep } from "./rule-step.ts";
import { scoreCallsCompatibly } from "./rules-compatible.ts";
import { scoreCallsMended } from "./rules-mended.ts";
import type { ScoreDocument, SignalScore, StepScore } from "./score-document.ts";
import { callReader, classifierOf } from "./step-calls.ts";
import { stepDocument } from "./step-document.ts";
import { createStepComposer, type ModelScores } from "./step-score.ts";
import { ProcessScore, totalOf } from "./total.ts";

/** What is scored and how. */
export interface ScoreRequest {
  readonly steps: readonly RuleStep[];
  /** The outcome as recorded; its fields are read as the profile's `outcomeSpec` says. */
  readonly outcome?: unknown;
  readonly profile: DomainProfile;
  readonly config: RewardConfig;
  readonly rubrics?: RubricBook | undefined;
  /** Steps a good solution takes; goes before the configuration's. */
  readonly referenceSteps?: number | null | undefined;
  /** What other runs take; counts where no number of steps is given. */
  readonly reference?: StepReference | undefined;
  readonly signals?: readonly SignalScore[] | undefined;
  /** A model's scores by step; null, or a shorter list, where a step has none. */
  readonly modelScores?: readonly (ModelScores | null)[] | undefined;
  /** The same with its source; goes before `modelScores`. */
  readonly judge?: ModelReading | undefined;
  readonly critic?: CriticReading | undefined;
  readonly human?: HumanReading | undefined;
  readonly calibration?: Calibration | undefined;
}

/**
 * Scores a trajectory by every layer that there is: rules, signals, a judge's scores, the critic, people's
 * labels, outcome and length. Pure, and linear in the size of the trajectory.
 *
 * A step without calls is scored as a `respond` call if it has a message and the domain has such a tool;
 * otherwise it stays unscored and does not count.
 */
export function scoreTrajectoryByRules(request: ScoreRequest): ScoreDocument {
  const { profile, config, judge, critic, human, calibration } = request;
  const modelScores = judge?.scores ?? request.modelScores ?? [];
  const steps: readonly RuleStep[] = Array.isArray(request.steps) ? request.steps : [];
  const compatible = config.composition === "compatible";
  const classifier = classifierOf(profile);
  const calls = placeCalls(steps, callReader(compatible, classifier));
  const scores = compatible ? scoreCallsCompatibly(calls, classifier) : scoreCallsMended(calls, classifier);

  const rubrics = rubricsOf(profile, request.rubrics);
  const calibrateModel = calibration?.layer === "model" ? calibration.apply : undefined;
  const composer = createStepComposer({ rubrics, config, calibrateModel });
  const means = new ProcessScore();
  const documents: StepScore[] = [];
  let next = 0;
  for (let index = 0; index < steps.length; index++) {
    const from = next;
    while (calls[next]?.step === index) next++;
    const { composed, document } = stepDocument({
      index,
      calls: calls.slice(from, next),
      scores: scores.slice(from, next),
      others: {
        model: modelScores[index] ?? null,
        credit: compatible ? null : creditOf(critic, index),
        human: compatible ? null : (human?.steps.get(index) ?? null),
      },
      composer,
    });
    means.add(composed);
    documents.push(document);
  }
  const total = totalOf({ request, means, rubrics });
  return {
    schema: "gymline.score.v1",
    ...total,
    step_count: steps.length,
    ...(judge === undefined || !means.scored.has("model")
      ? {}
      : {
          judge: {
            judge: judge.judge,
            model: judge.model,
            scored: judge.scores.filter((each) => each !== null).length,
            samples: judge.samples,
          },
        }),
    steps: documents,
  };
}

/** How much the critic's value rose by a step. */
function creditOf(critic: CriticReading | undefined, index: number): number | null {
  const value = critic?.values[index];
  if (critic === undefined || value === undefined) return null;
  return value - (index === 0 ? critic.initial : (critic.values[index - 1] ?? critic.initial));
}
