import { round4, round4OrNull } from "./rounding.ts";
import { type CallScores, shownTool } from "./rule-result.ts";
import type { PlacedCall } from "./rule-step.ts";
import type { CallScore, ScoreReason, StepScore } from "./score-document.ts";
import { type ComposedStep, ruleRubricsOf, type StepComposer, type StepInput } from "./step-score.ts";

/** A step as the score document has it, and what it adds to the total. */
export function stepDocument(of: {
  readonly index: number;
  /** The calls of the step, one for each of `scores`. */
  readonly calls: readonly PlacedCall[];
  readonly scores: readonly CallScores[];
  readonly others: Required<Omit<StepInput, "calls">>;
  readonly composer: StepComposer;
}): { readonly composed: ComposedStep; readonly document: StepScore } {
  const { index, calls, scores, others, composer } = of;
  const rules = scores.map(ruleRubricsOf);
  const reasons: ScoreReason[] = [];
  scores.forEach((each, call) => {
    addReasons(reasons, call, each);
  });
  const composed = composer.step({ calls: rules, ...others });
  const document: StepScore = {
    index,
    total: round4OrNull(composed.total),
    layers: {
      rules: round4OrNull(composed.layers.rules),
      model: round4OrNull(composed.layers.model),
      critic: round4OrNull(composed.layers.critic),
      human: round4OrNull(composed.layers.human),
    },
    ...(others.credit === null ? {} : { credit: round4(others.credit) }),
    rubrics: composed.rubrics,
    calls: scores.map((each, i) => {
      const scored = rules[i];
      return callScore(calls[i]?.tool ?? "", each, scored === undefined ? null : composer.call(scored));
    }),
    reasons,
  };
  return { composed, document };
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
