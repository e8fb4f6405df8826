import { describe, expect, it } from "vitest";
import { getDomainProfile } from "../../shared/domains/builtin.ts";
import { domainProfileSchema } from "../../shared/domains/profile.ts";
import { createToolClassifier } from "../../shared/domains/tool-classifier.ts";
import { parseRewardConfig, RewardConfigError } from "../../shared/reward/config.ts";
import { tokensOf } from "../../shared/reward/info-tokens.ts";
import { scoreEfficiency, scoreOutcome } from "../../shared/reward/outcome.ts";
import { rubricsOf } from "../../shared/reward/rubrics.ts";
import { compatibleTarget } from "../../shared/reward/rules-compatible.ts";
import type { ScoreDocument } from "../../shared/reward/score-document.ts";
import { scoreTrajectoryByRules } from "../../shared/reward/score-rules.ts";
import type { ModelScores } from "../../shared/reward/step-score.ts";
import {
  type GoldenCase,
  type GoldenRule,
  type GoldenScore,
  type GoldenTrajectory,
  golden,
  hasGolden,
  stepsOf,
  whyGolden,
} from "./golden.ts";

const compatible = { composition: "compatible" } as const;

type Weights = Readonly<Record<string, unknown>>;
type Domain = { readonly domain?: string };
type FullCase = GoldenCase<
  { readonly config: Weights & Domain; readonly trajectory: GoldenTrajectory },
  GoldenScore
>;
type JudgedCase = GoldenCase<
  { readonly config?: Domain; readonly trajectory: GoldenTrajectory },
  { readonly result: GoldenScore }
>;
type ConfigCase = GoldenCase<Weights, Weights & { readonly $error?: string }>;
type HelperCase = GoldenCase<
  {
    readonly output: string;
    readonly domain: string;
    readonly tool: string;
    readonly params: Readonly<Record<string, unknown>>;
    readonly n_steps: number;
    readonly reference: number;
    readonly outcome: unknown;
    readonly spec: unknown;
  },
  unknown
>;

function expectSame(document: ScoreDocument, reference: GoldenScore): void {
  expect({
    total_score: document.total,
    outcome_score: document.outcome,
    process_score: document.process,
    efficiency_score: document.efficiency,
    step_count: document.step_count,
  }).toEqual({
    total_score: reference.total_score,
    outcome_score: reference.outcome_score,
    process_score: reference.process_score,
    efficiency_score: reference.efficiency_score,
    step_count: reference.step_count,
  });
  expect(document.steps.map((step) => step.total)).toEqual(
    reference.step_rewards.map((step) => step.total_score),
  );
  document.steps.forEach((step, i) => {
    const expected = Object.entries(reference.step_rewards[i]?.rubric_scores ?? {});
    expect(Object.keys(step.rubrics).sort()).toEqual(expected.map(([id]) => id).sort());
    for (const [id, value] of expected) expect(step.rubrics[id]).toBeCloseTo(value, 9);
  });
}

/** The judge of the vectors: call n, rubric k → ((7n + 3k) mod 11) / 10. */
function formulaScores(domain: string, steps: number, every: number): readonly ModelScores[] {
  const models = rubricsOf(getDomainProfile(domain)).filter((rubric) => rubric.evaluator === "model");
  return Array.from({ length: steps }, (_, i) =>
    Object.fromEntries(models.map(({ id }, k) => [id, ((7 * (i + 1) * every + 3 * k) % 11) / 10])),
  );
}

const ruleCases = golden<GoldenRule>("rules.json").filter((each) => each.reference_defect === undefined);

describe.skipIf(!hasGolden)(`compatible scoring against the reference vectors${whyGolden}`, () => {
  it.for(ruleCases.filter((each) => each.name !== "coding/param_types"))(
    "scores $name as the reference does",
    ({ input, expected }) => {
      const { trajectory, domain } = input;
      const document = scoreTrajectoryByRules({
        steps: stepsOf(trajectory),
        outcome: trajectory.outcome,
        referenceSteps: trajectory.reference_steps,
        profile: getDomainProfile(domain),
        config: parseRewardConfig(compatible),
      });
      const calls = document.steps.flatMap((step) => step.calls);
      expect(calls.map((call) => call.redundancy)).toEqual(expected.redundancy);
      expect(calls.map((call) => call.regression)).toEqual(expected.regression);
      expect(calls.map((call) => call.info_utilization)).toEqual(expected.info_utilization);
      expectSame(document, expected.score_rule_only);
    },
  );

  it("tells all types of arguments apart but 1 and 1.0, which are one number in JSON", () => {
    const types = ruleCases.find((each) => each.name === "coding/param_types");
    const document = scoreTrajectoryByRules({
      steps: stepsOf(types?.input.trajectory ?? {}),
      profile: getDomainProfile("coding"),
      config: parseRewardConfig(compatible),
    });
    expect(document.steps.map((step) => step.calls[0]?.redundancy)).toEqual([1, 1, 0.3, 1, 1]);
  });

  const full = golden<FullCase>("reward_full.json").filter(
    (each) => each.expected.step_rewards !== undefined,
  );
  const judged = golden<JudgedCase>("reward_full.json").filter((each) =>
    /^judge_(formula|retry)/.test(each.name),
  );
  const configs = golden<ConfigCase>("reward_full.json").filter(
    (each) => each.name.startsWith("config_") && each.reference_defect === undefined,
  );
  it.for(full)("composes $name as the reference does", ({ input, expected }) => {
    const { domain = "coding", ...weights } = input.config;
    const document = scoreTrajectoryByRules({
      steps: stepsOf(input.trajectory),
      outcome: input.trajectory.outcome,
      referenceSteps: input.trajectory.reference_steps,
      profile: getDomainProfile(domain),
      config: parseRewardConfig({ ...compatible, ...camelCased(weights) }),
    });
    expectSame(document, expected);
  });

  it.for(judged)("composes the judged $name as the reference does", ({ name, input, expected }) => {
    const domain = input.config?.domain ?? "coding";
    const document = scoreTrajectoryByRules({
      steps: stepsOf(input.trajectory),
      outcome: input.trajectory.outcome,
      referenceSteps: input.trajectory.reference_steps,
      profile: getDomainProfile(domain),
      config: parseRewardConfig(compatible),
      // In the retry vector every other call returns junk, so steps get the scores of calls 2, 4, 6, 8.
      modelScores: formulaScores(domain, 4, name.startsWith("judge_retry") ? 2 : 1),
    });
    expectSame(document, expected.result);
  });

  it.for(configs)("checks the weights of $name as the reference does", ({ input, expected }) => {
    const parse = (): unknown => parseRewardConfig({ ...compatible, ...camelCased(input) });
    if (expected.$error === undefined) expect(parse()).toMatchObject(camelCased(input));
    else expect(parse).toThrow(RewardConfigError);
  });

  it.for(golden<HelperCase>("rules_helpers.json"))("gives what $name gives", ({ name, input, expected }) => {
    const kind = name.slice(0, name.indexOf(":"));
    if (kind === "tokens") {
      expect([...new Set(tokensOf(input.output, "compatible"))].sort()).toEqual(
        [...(expected as string[])].sort(),
      );
    } else if (kind === "target") {
      const classifier = createToolClassifier(getDomainProfile(input.domain));
      expect(compatibleTarget(classifier, input.tool, input.params)).toBe(expected);
    } else if (kind === "category") {
      const classifier = createToolClassifier(getDomainProfile(input.domain));
      // The sandbox's file_read was missing from the coding profile; here it is there.
      expect(classifier.categoryOf(input.tool)).toBe(
        input.tool === "file_read" ? "read" : (expected as { category: string | null }).category,
      );
    } else if (kind === "efficiency") {
      expect(scoreEfficiency(input.n_steps, input.reference)).toBe(expected);
    } else {
      const { outcomeSpec } = domainProfileSchema.parse({ domain: "x", outcome_spec: input.spec });
      // A result nobody knows counts 0 in the reference.
      expect(scoreOutcome(input.outcome, outcomeSpec) ?? 0).toBeCloseTo(expected as number, 9);
    }
  });
});

function camelCased(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key.replace(/_(\w)/g, (_, c: string) => c.toUpperCase()),
      value,
    ]),
  );
}
