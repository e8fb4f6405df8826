import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { getDomainProfile, listDomainProfiles } from "../../shared/domains/builtin.ts";
import { parseDomainProfile } from "../../shared/domains/profile.ts";
import { parseRewardConfig, RewardConfigError } from "../../shared/reward/config.ts";
import { round4 } from "../../shared/reward/rounding.ts";
import { parseRubrics } from "../../shared/reward/rubric-book.ts";
import type { RuleStep } from "../../shared/reward/rule-step.ts";
import { scoreDocumentSchema } from "../../shared/reward/score-document.ts";
import { scoreTrajectoryByRules } from "../../shared/reward/score-rules.ts";
import { scorerId, scorerIdWith, scorerScale } from "../../shared/reward/scorer-id.ts";
import { call, score, stepsWith } from "./factories.ts";

const read = call("read_file", { file_path: "a.py" }, "x");

describe("scoring a trajectory", () => {
  it("leaves out layers that nobody scored", () => {
    expect(score(stepsWith(read))).toMatchObject({
      total: 1,
      outcome: null,
      process: 1,
      efficiency: null,
      layers: ["rules"],
    });
    // (0.4 · 0 + 0.5 · 0.5) / 0.9
    expect(score(stepsWith(read, read), { outcome: { success: false } })).toMatchObject({
      total: 0.2778,
      layers: ["outcome", "rules"],
    });
    expect(score(stepsWith(read, read), { outcome: { success: true }, referenceSteps: 1 })).toMatchObject({
      total: 0.7,
      efficiency: 0.5,
      layers: ["outcome", "rules", "efficiency"],
    });
  });

  it("keeps the outcome of a trajectory without steps", () => {
    expect(score([], { outcome: { success: true }, referenceSteps: 3 })).toMatchObject({
      total: 1,
      step_count: 0,
    });
    expect(score([])).toMatchObject({ total: 0, layers: [] });
  });

  it("blends the rule layer and the model layer of a step by their weights", () => {
    const modelScores = [{ goal_progress: 0.5, tool_choice: 0, param_correctness: 1 }];
    const document = score(stepsWith(read), { modelScores });
    // Model: (.3 · .5 + .2 · 0 + .2 · 1) / .7 = 0.5; step: .6 · 1 + .4 · .5.
    expect(document.steps[0]).toMatchObject({
      total: 0.8,
      rubrics: { non_redundancy: 1, goal_progress: 0.5 },
    });
    expect(document.layers).toEqual(["rules", "model"]);
    const rulesOnly = score(stepsWith(read), { modelScores, config: { ruleWeight: 1, modelWeight: 0 } });
    expect(rulesOnly).toMatchObject({ process: 1, layers: ["rules"] });
  });

  it("counts a step only where something scored it", () => {
    const steps: RuleStep[] = [{ calls: [read] }, { calls: [], message: "I am done." }];
    const document = score(steps);
    expect(document.steps[1]).toMatchObject({ total: null, calls: [] });
    expect(document.process).toBe(1);
  });

  it("takes a message for a response where the domain has one", () => {
    const steps: RuleStep[] = [
      { calls: [], message: "Hello" },
      { calls: [], message: "Hello" },
    ];
    const document = score(steps, { domain: "conversation" });
    expect(document.steps.map((step) => step.total)).toEqual([1, 0.3]);
    expect(document.steps[1]?.calls[0]?.tool).toBe("respond");
  });

  it("is subject to the rules even in domains whose rubrics all belong to a model", () => {
    const say = call("respond", { message: "a" }, "x");
    expect(score(stepsWith(say, say), { domain: "discussion" }).process).toBe(0.65);
  });

  it("uses the rubric weights of a custom profile", () => {
    const custom = (weights: object) =>
      parseDomainProfile(
        { domain: "x", tools: getDomainProfile("coding").tools, default_rubric_weights: weights },
        "x",
      );
    const total = (weights: object) =>
      scoreTrajectoryByRules({
        steps: stepsWith(read, read, call("edit_file", { path: "b" })),
        profile: custom(weights),
        config: parseRewardConfig(),
        modelScores: [{ goal_progress: 1, tool_choice: 0 }],
      }).steps[0]?.total;
    expect(total({})).not.toBe(total({ goal_progress: 1 }));
    // The model layer is then (1 · 1 + .2 · 0) / 1.2.
    expect(total({ goal_progress: 1 })).toBe(round4(0.6 + 0.4 * (1 / 1.2)));
  });

  it("survives malformed steps", () => {
    const steps = [
      null,
      {},
      { calls: null },
      { calls: [null, 7, "x", []] },
      {
        calls: [
          { params: "ls", output: null },
          { tool: 3, params: null, output: { a: 1 } },
        ],
      },
      { calls: [{ tool: "Edit", params: { edits: [null, { old_string: 3 }], file_path: {} }, output: 4 }] },
      {
        calls: [
          { tool: "bash", params: JSON.parse('{"command":["x",1],"__proto__":{"a":1}}'), exitCode: "0" },
        ],
      },
    ] as unknown as RuleStep[];
    for (const composition of ["mended", "compatible"] as const) {
      const document = score(steps, { config: { composition } });
      expect(scoreDocumentSchema.parse(document)).toEqual(document);
      expect(document.step_count).toBe(7);
    }
  });

  const anyParams = fc.oneof(
    fc.dictionary(
      fc.constantFrom(
        "file_path",
        "path",
        "command",
        "old_str",
        "new_str",
        "content",
        "edits",
        "x",
        "__proto__",
      ),
      fc.oneof(
        fc.constantFrom("a", "b", "sed -i s/a/b/ f", "cat <<E > f\na\nE", "view", "undo_edit"),
        fc.jsonValue(),
      ),
    ),
    fc.anything(),
  );
  const anyCall = fc.record({
    tool: fc.oneof(
      fc.constantFrom("bash", "Read", "Edit", "str_replace_editor", "grep", "respond", "click"),
      fc.string(),
    ),
    params: anyParams,
    output: fc.oneof(fc.constantFrom("1 failed, 2 passed", "3 passed", "/a/b c_d"), fc.anything()),
  });
  const anySteps = fc.array(fc.record({ calls: fc.array(anyCall, { maxLength: 3 }) }), { maxLength: 8 });

  it("gives a valid document with all scores in [0, 1] for anything at all", () => {
    fc.assert(
      fc.property(
        anySteps,
        fc.constantFrom(...listDomainProfiles()),
        fc.constantFrom("mended", "compatible"),
        fc.anything(),
        (steps, domain, composition, outcome) => {
          const document = score(steps as unknown as RuleStep[], {
            domain,
            config: { composition },
            outcome,
          });
          expect(scoreDocumentSchema.parse(document)).toEqual(document);
        },
      ),
    );
  });

  it("does not depend on the order of argument names", () => {
    const reversed = (steps: readonly RuleStep[]): readonly RuleStep[] =>
      steps.map((step) => ({
        calls: step.calls.map((each) => ({
          ...each,
          params: Object.fromEntries(Object.entries(each.params).reverse()),
        })),
      }));
    const flat = fc.dictionary(
      fc.constantFrom("file_path", "old_str", "new_str", "x"),
      fc.constantFrom("a", "b", 1),
    );
    const record = fc.record({
      tool: fc.constantFrom("Read", "Edit", "zzz"),
      params: flat,
      output: fc.constant("o/p"),
    });
    const steps = fc.array(fc.record({ calls: fc.array(record, { maxLength: 2 }) }), { maxLength: 10 });
    fc.assert(
      fc.property(steps, (some) => {
        expect(score(reversed(some))).toEqual(score(some));
      }),
    );
  });

  it("says the reasons in numbers and tool names, never in the words of the log", () => {
    const secret = "hunter2hunter2";
    const edit = (from: string, to: string) =>
      call("Edit", { file_path: secret, old_string: from, new_string: to });
    const steps = stepsWith(
      edit("one", secret),
      edit(secret, "one"),
      call(`run ${secret}!`),
      call(`run ${secret}!`),
    );
    const document = score(steps);
    expect(document.steps.flatMap((step) => step.reasons).length).toBe(2);
    expect(JSON.stringify(document)).not.toContain(secret);
  });
});

describe("the scoring configuration", () => {
  it("has weights that sum to 1 and says which do not", () => {
    expect(() => parseRewardConfig({ modelWeight: 0 }, "conf.json")).toThrow(
      "Scoring configuration conf.json: ruleWeight + modelWeight must be 1 (within 1e-6) but is 0.6. Correct these fields.",
    );
    expect(() => parseRewardConfig({ outcomeWeight: 0.9 })).toThrow(RewardConfigError);
    expect(() => parseRewardConfig({ ruleWeight: 1.5, modelWeight: -0.5 })).toThrow(
      /modelWeight: must not be negative/,
    );
    expect(() => parseRewardConfig({ ruelWeight: 1 })).toThrow(RewardConfigError);
  });

  it("lets either compatibility switch bring the other", () => {
    expect(parseRewardConfig({ unscored: "neutral" })).toEqual(
      parseRewardConfig({ composition: "compatible" }),
    );
    expect(parseRewardConfig({ composition: "mended", unscored: "neutral" })).toMatchObject({
      composition: "mended",
      unscored: "neutral",
    });
  });

  it("gives every way of scoring an id of its own", () => {
    const coding = getDomainProfile("coding");
    const own = { config: parseRewardConfig(), profile: coding };
    const id = scorerId(own);
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(scorerId({ config: parseRewardConfig({}), profile: coding })).toBe(id);
    const others = [
      { ...own, config: parseRewardConfig({ ruleWeight: 0.5, modelWeight: 0.5 }) },
      { ...own, profile: getDomainProfile("browser") },
      { ...own, critic: "a critic" },
      { ...own, calibration: "a calibration" },
      { ...own, rubrics: parseRubrics({ sets: { coding: { goal_progress: 1 } } }, "a file") },
    ].map(scorerId);
    expect(new Set([id, ...others]).size).toBe(others.length + 1);
    const labelled = ["one", "another"].map((said) => scorerIdWith(id, { layers: ["people"], said }));
    expect(new Set([id, ...labelled]).size).toBe(3);
    expect(labelled.map(scorerScale)).toEqual([`${id}-people`, `${id}-people`]);
    expect(scorerScale(id)).toBe(id);
  });
});

describe("rounding", () => {
  it("rounds the binary value and takes ties to the even digit", () => {
    expect([0.03125, 0.09375, 0.74125, 1e-9, 1].map(round4)).toEqual([0.0312, 0.0938, 0.7412, 0, 1]);
  });
});
