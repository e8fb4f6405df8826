import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JudgeConfigInput, parseJudgeConfig } from "../../shared/judge/config.ts";
import { judgeId } from "../../shared/judge/judge-id.ts";
import type { JudgedTrajectory } from "../../shared/judge/judge-steps.ts";
import { type JudgingPlan, planJudging } from "../../shared/judge/plan.ts";
import { codingRubrics, rubricsNamed, type TurnFacts, trajectoryOf } from "./factories.ts";

function plan(trajectory: JudgedTrajectory, config: JudgeConfigInput = {}): JudgingPlan {
  return planJudging({ trajectory, rubrics: codingRubrics, config: parseJudgeConfig(config) });
}

function userText(planned: JudgingPlan, request = 0): string {
  return planned.requests[request]?.request.messages[0]?.content ?? "";
}

const read: TurnFacts = { tool: "read_file", params: { file_path: "a.py" }, output: "x = 1" };
const turn: fc.Arbitrary<TurnFacts> = fc.record(
  {
    user: fc.string({ maxLength: 300 }),
    thought: fc.string({ maxLength: 300 }),
    message: fc.string({ maxLength: 300 }),
    tool: fc.string({ minLength: 1, maxLength: 20 }),
    params: fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }),
    output: fc.string({ unit: "binary", maxLength: 1_000 }),
  },
  { requiredKeys: [] },
);

describe("the plan of a trajectory's judging", () => {
  it("asks about every step exactly once, in one call where it fits", () => {
    const planned = plan(trajectoryOf(Array(12).fill(read)));
    expect(planned.coverage).toEqual({ steps: 12, asked: 12, choice: "all", windows: 1 });
    expect(planned.requests.map(({ window, indices, sample }) => [window, indices.length, sample])).toEqual([
      [0, 12, 0],
    ]);
    expect(userText(planned)).toContain("Score the steps 0 to 11.");
  });

  it("covers every step exactly once for any trajectory, and every prompt begins with the same bytes", () => {
    const system = plan(trajectoryOf([read])).requests[0]?.request.system;
    fc.assert(
      fc.property(
        fc.array(turn, { maxLength: 40 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 100, max: 4_000 }),
        (turns, maxSteps, maxCharacters) => {
          const planned = plan(trajectoryOf(turns), { window: { maxSteps, maxCharacters } });
          expect(planned.requests.flatMap(({ indices }) => indices)).toEqual([...turns.keys()]);
          expect(planned.coverage.steps).toBe(turns.length);
          for (const { request } of planned.requests) expect(request.system).toBe(system);
          expect(new Set(planned.requests.map(({ hash }) => hash)).size).toBe(planned.requests.length);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("asks about steps spread evenly where there are more than wanted, and lists those between", () => {
    const planned = plan(trajectoryOf(Array(40).fill(read)), { maxSteps: 4 });
    expect(planned.coverage).toEqual({ steps: 40, asked: 4, choice: "even", windows: 1 });
    expect(planned.requests[0]?.indices).toEqual([0, 13, 26, 39]);
    expect(userText(planned)).toContain("skipped steps, not to be scored:\n| 1–12 read_file a.py: returned");
    expect(userText(planned)).toContain("Score the steps 0, 13, 26 and 39.");
  });

  it("sums up earlier steps by tool, target and outcome, equal ones together and no score among them", () => {
    const turns = [
      ...Array(3).fill(read),
      { tool: "bash", params: { command: "pytest -q" }, output: "ok" },
      read,
    ];
    const planned = plan(trajectoryOf(turns), { window: { maxSteps: 3 } });
    expect(userText(planned, 1)).toContain(
      "earlier steps, not to be scored:\n| 0–2 read_file a.py: returned\nstep 3\n",
    );
    expect(userText(planned, 1)).not.toMatch(/score=|0\.\d/);
  });

  it("lists the nearest of many earlier steps, and says how many it leaves out", () => {
    const turns = Array.from({ length: 60 }, (_, i) => ({ ...read, params: { file_path: `file_${i}.py` } }));
    const planned = plan(trajectoryOf(turns), { window: { maxSteps: 30, contextCharacters: 100 } });
    expect(userText(planned, 1)).toContain(
      "(28 before these are not listed)\n| 28 read_file file_28.py: returned\n| 29 read_file file_29.py: returned\nstep 30",
    );
    const none = plan(trajectoryOf(turns), { window: { contextCharacters: 0 } });
    expect(userText(none, 1)).toContain("(30 before these are not listed)\nstep 30");
  });

  it("asks about one step a call in the mode of steps, and several times where several samples are wanted", () => {
    const planned = plan(trajectoryOf([read, read]), { mode: "steps", samples: 3 });
    expect(planned.requests.map(({ window, indices, sample }) => [window, indices, sample])).toEqual([
      ...[0, 1, 2].map((sample) => [0, [0], sample]),
      ...[0, 1, 2].map((sample) => [1, [1], sample]),
    ]);
    expect(new Set(planned.requests.map(({ hash }) => hash)).size).toBe(6);
    expect(userText(planned)).toContain("Score step 0.");
  });

  it("is empty where there is nothing a model could judge", () => {
    expect(plan({ steps: [] }).requests).toEqual([]);
    const config = parseJudgeConfig();
    const none = planJudging({ trajectory: trajectoryOf([read]), rubrics: [], config });
    expect([none.requests, none.coverage]).toEqual([[], { steps: 1, asked: 0, choice: "all", windows: 0 }]);
    const rules = codingRubrics.map((rubric) => ({ ...rubric, evaluator: "rule" as const }));
    expect(planJudging({ trajectory: trajectoryOf([read]), rubrics: rules, config }).requests).toEqual([]);
  });

  it("shows task, users' words between steps, thoughts, calls, results and replies", () => {
    const text = userText(
      plan({
        ...trajectoryOf([
          { thought: "Look first.", tool: "bash", params: { command: "ls", timeout: 5 }, output: "a.py\n" },
          { user: "And now?", message: "It is done." },
        ]),
        extra: { gymline: { task: { description: "Mend the parser." } } },
      }),
    );
    const evidence = text.split("\n").slice(2, -2).join("\n");
    expect(evidence).toBe(
      [
        "task:\n| Mend the parser.",
        "the run has 2 steps, from 0 to 1",
        "user:\n| Fix the failing test.",
        "step 0\nthought:\n| Look first.\ncall bash:\n| command: ls\n| timeout: 5\nresult:\n| a.py",
        "user:\n| And now?\nstep 1\nmessage:\n| It is done.",
      ].join("\n"),
    );
  });

  it("shows a call that stands in the message only once", () => {
    const message = "I look around.\n\n```bash\nls -la /work\n```";
    const trajectory = trajectoryOf([
      { message, tool: "bash", params: { command: "ls -la /work" }, output: "" },
    ]);
    for (const step of trajectory.steps) {
      for (const call of step.tool_calls ?? []) call.extra = { gymline: { from: "text" } };
    }
    expect(userText(plan(trajectory))).toContain(
      "step 0\nmessage:\n| I look around.\ncall bash:\n| ls -la /work\nresult: empty",
    );
  });

  it("does not take long over long texts", () => {
    const blank = " ".repeat(300_000);
    const turns = [`${blank}x`, `a${blank}`, "\n".repeat(300_000), "=".repeat(300_000)].map((text) => ({
      thought: text,
      tool: "bash",
      params: { command: text },
      output: text,
    }));
    const started = performance.now();
    expect(plan(trajectoryOf(turns)).coverage.asked).toBe(4);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it("leaves the temperature to the provider unless one is set", () => {
    expect(plan(trajectoryOf([read])).requests[0]?.request).not.toHaveProperty("temperature");
    expect(plan(trajectoryOf([read]), { temperature: 0.2 }).requests[0]?.request.temperature).toBe(0.2);
  });
});

describe("ids of a judge and of its requests", () => {
  const base = parseJudgeConfig();

  it("do not depend on what rubrics weigh, on budgets, gates or addresses", () => {
    const heavier = codingRubrics.map((rubric) => ({ ...rubric, weight: rubric.weight * 2 }));
    const other = parseJudgeConfig({
      baseUrl: "http://localhost:9",
      budgets: { usdPerRun: 1 },
      gate: { kind: "band" },
      batch: false,
    });
    expect(judgeId(base, codingRubrics)).toMatch(/^[0-9a-f]{16}$/);
    expect(judgeId(other, heavier)).toBe(judgeId(base, codingRubrics));
  });

  it("depend on all that shapes an answer", () => {
    const configs: readonly JudgeConfigInput[] = [
      {},
      { provider: "openai-compatible", model: "claude-haiku-5-5" },
      { model: "claude-sonnet-5-5" },
      { mode: "steps" },
      { samples: 2 },
      { window: { maxSteps: 29 } },
      { window: { fields: { result: 221 } } },
      { maxSteps: 20 },
      { temperature: 0.5 },
    ];
    const ids = configs.map((config) => judgeId(parseJudgeConfig(config), codingRubrics));
    const described = codingRubrics.map((rubric) => ({ ...rubric, description: "Other words." }));
    ids.push(judgeId(base, described), judgeId(base, rubricsNamed("a")));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("are the same for the same content, so answers can be found again", () => {
    const trajectory = trajectoryOf([read, { message: "done" }]);
    expect(plan(trajectory).requests.map(({ hash }) => hash)).toEqual(
      plan(structuredClone(trajectory)).requests.map(({ hash }) => hash),
    );
    const [first] = plan(trajectory).requests;
    const [second] = plan(trajectory, { model: "claude-sonnet-5-5" }).requests;
    expect(first?.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(second?.hash).not.toBe(first?.hash);
  });
});
