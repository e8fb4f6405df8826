import { describe, expect, it } from "vitest";
import { getDomainProfile } from "../../shared/domains/builtin.ts";
import { parseRewardConfig } from "../../shared/reward/config.ts";
import type { ScoreDocument } from "../../shared/reward/score-document.ts";
import { scoreTrajectoryByRules } from "../../shared/reward/score-rules.ts";
import {
  type GoldenCase,
  type GoldenRule,
  type GoldenTrajectory,
  golden,
  hasGolden,
  stepsOf,
  whyGolden,
} from "./golden.ts";

type WeightsCase = GoldenCase<
  {
    readonly config: { readonly rule_weight: number; readonly model_weight: number };
    readonly trajectory: GoldenTrajectory;
  },
  unknown
>;

interface Right {
  readonly outcome?: number | null;
  readonly total?: number;
  readonly redundancy?: readonly number[];
}

/** What is right where the reference is not. */
const right: Readonly<Record<string, Right>> = {
  "coding/empty_success": { outcome: 1, total: 1 },
  "coding/retest_after_edit": { redundancy: [1, 1, 1], outcome: 1, total: 1 },
  "coding/tests_over_one": { outcome: 1, total: 1 },
  "coding/tests_failed_key_only": { outcome: 0.9 },
  "coding/tests_total_null": { outcome: 1, total: 1 },
  "coding/success_truthy_string": { outcome: 0 },
  "coding/score_field_ignored": { outcome: 0.9 },
  "coding/params_null": { redundancy: [1], outcome: null, total: 1 },
  "coding/params_string": { redundancy: [1], outcome: null, total: 1 },
  "coding/param_order": { redundancy: [1, 0.3, 1, 0.3] },
  "coding/bash_sed_not_seen_as_write": { redundancy: [1, 1, 1] },
  "browser/scroll_repeat": { redundancy: [1, 1, 1, 1, 1, 1] },
  "crew/outcome_steps_over_tokens": { outcome: 1, total: 1 },
  // No judge, yet the repetition costs: (1 + 0) / 2 and (1 + 3 · 0.3) / 4, beside an outcome of 1.
  "advisory/all_neutral": { redundancy: [1, 0], total: 0.7222 },
  "discussion/all_neutral": { redundancy: [1, 0.3, 0.3, 0.3], total: 0.7083 },
};

const flagged = golden<GoldenRule>("rules.json").filter((each) => each.reference_defect !== undefined);

describe.skipIf(!hasGolden)(`scores where the reference is wrong${whyGolden}`, () => {
  it("has a right answer for every flagged vector of the rules", () => {
    expect(flagged.map((each) => each.name).sort()).toEqual(Object.keys(right).sort());
  });

  it.for(flagged)("scores $name rightly: $reference_defect", ({ name, input }) => {
    const document: ScoreDocument = scoreTrajectoryByRules({
      steps: stepsOf(input.trajectory),
      outcome: input.trajectory.outcome,
      profile: getDomainProfile(input.domain),
      config: parseRewardConfig(),
    });
    const expected = right[name] ?? {};
    if (expected.outcome !== undefined) expect(document.outcome).toBe(expected.outcome);
    if (expected.total !== undefined) expect(document.total).toBe(expected.total);
    if (expected.redundancy !== undefined) {
      const calls = document.steps.flatMap((step) => step.calls);
      expect(calls.map((call) => call.redundancy)).toEqual(expected.redundancy);
    }
  });

  it("lets the rule and model weights move the score, unlike the flagged vectors of the composition", () => {
    const totals = golden<WeightsCase>("reward_full.json")
      .filter((each) => each.name.startsWith("weights_"))
      .map(({ input }) => {
        const { rule_weight, model_weight } = input.config;
        const document = scoreTrajectoryByRules({
          steps: stepsOf(input.trajectory),
          outcome: input.trajectory.outcome,
          profile: getDomainProfile("coding"),
          config: parseRewardConfig({ ruleWeight: rule_weight, modelWeight: model_weight }),
          modelScores: input.trajectory.steps?.map(() => ({ goal_progress: 0.2 })),
        });
        return document.process;
      });
    // Rules say (1 + 0 + 1 + 1) / 4 or less a step, the model 0.2: the more it weighs, the lower the score.
    expect(totals.length).toBeGreaterThan(2);
    expect(totals.at(-1)).toBe(0.2);
    expect([...totals].sort((a, b) => (b ?? 0) - (a ?? 0))).toEqual(totals);
    expect(new Set(totals).size).toBe(totals.length);
  });
});
