import { getDomainProfile } from "../../shared/domains/builtin.ts";
import { parseRewardConfig, type RewardConfigInput } from "../../shared/reward/config.ts";
import type { Calibration, HumanReading } from "../../shared/reward/readings.ts";
import type { RuleCall, RuleStep } from "../../shared/reward/rule-step.ts";
import type { ScoreDocument } from "../../shared/reward/score-document.ts";
import { scoreTrajectoryByRules } from "../../shared/reward/score-rules.ts";
import type { ModelScores } from "../../shared/reward/step-score.ts";

/** A call; what is not said is empty. */
export function call(tool: string, params: Record<string, unknown> = {}, output = ""): RuleCall {
  return { tool, params, output };
}

/** One step a call. */
export function stepsWith(...calls: readonly RuleCall[]): readonly RuleStep[] {
  return calls.map((each) => ({ calls: [each] }));
}

export function score(
  steps: readonly RuleStep[],
  {
    domain = "coding",
    config = {},
    ...rest
  }: {
    readonly domain?: string;
    readonly config?: RewardConfigInput;
    readonly outcome?: unknown;
    readonly referenceSteps?: number;
    readonly modelScores?: readonly (ModelScores | null)[];
    readonly human?: HumanReading;
    readonly calibration?: Calibration;
  } = {},
): ScoreDocument {
  const profile = getDomainProfile(domain);
  return scoreTrajectoryByRules({ steps, profile, config: parseRewardConfig(config), ...rest });
}

export function redundancyOf(steps: readonly RuleStep[], domain = "coding"): readonly number[] {
  return score(steps, { domain }).steps.flatMap((step) => step.calls.map((each) => each.redundancy));
}

export function regressionOf(steps: readonly RuleStep[]): readonly number[] {
  return score(steps).steps.flatMap((step) => step.calls.map((each) => each.regression));
}

export function infoUseOf(steps: readonly RuleStep[], domain = "coding"): readonly (number | null)[] {
  return score(steps, { domain }).steps.flatMap((step) => step.calls.map((each) => each.info_utilization));
}
