import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { getDomainProfile } from "../../shared/domains/builtin.ts";
import { parseRewardConfig } from "../../shared/reward/config.ts";
import { makeHistoryRewardFn, makeRewardFn } from "../../shared/reward/reward-fn.ts";
import type { RuleCall, RuleStep } from "../../shared/reward/rule-step.ts";
import { scoreTrajectoryByRules } from "../../shared/reward/score-rules.ts";
import { queryTokens } from "../../shared/reward/token-index.ts";
import { TokenMemory } from "../../shared/reward/token-memory.ts";
import { call, stepsWith } from "./factories.ts";

const path = fc.constantFrom("src/a.py", "./src/a.py", "/repo/src/a.py", "b.py", "lib/util_x.py");
const output = fc.constantFrom(
  "",
  "ok",
  "src/a.py: def load_all",
  "lib/util_x.py\nb.py",
  "Error: no match found",
);
const edit = fc.record({
  file_path: path,
  old_string: fc.constantFrom("one two three", "four five six"),
  new_string: fc.constantFrom("one two three", "four five six", ""),
});
const command = fc.constantFrom(
  "pytest -q",
  "cat src/a.py",
  "rm lib/util_x.py",
  "ls",
  "sed -i s/load_all/x/ b.py",
);
const tests = fc.constantFrom("3 passed in 0.1s", "1 failed, 2 passed in 0.2s", "");
const anyCall: fc.Arbitrary<RuleCall> = fc.oneof(
  fc.record({ tool: fc.constant("read_file"), params: fc.record({ file_path: path }), output }),
  fc.record({ tool: fc.constant("edit_file"), params: edit, output, exitCode: fc.constantFrom(0, 1, null) }),
  fc.record({
    tool: fc.constant("str_replace_editor"),
    params: fc.record({
      command: fc.constantFrom("view", "undo_edit", "create"),
      path,
      file_text: fc.constantFrom("x", "y"),
    }),
    output,
  }),
  fc.record({ tool: fc.constant("bash"), params: fc.record({ command }), output: fc.oneof(output, tests) }),
  fc.record({
    tool: fc.constantFrom("respond", "think", "mystery"),
    params: fc.record({ message: output }),
    output,
  }),
);
const anyStep: fc.Arbitrary<RuleStep> = fc.oneof(
  { arbitrary: fc.record({ calls: fc.array(anyCall, { maxLength: 3 }), message: output }), weight: 9 },
  {
    arbitrary: fc.constantFrom(null, {}, { calls: [null, 7] }) as unknown as fc.Arbitrary<RuleStep>,
    weight: 1,
  },
);
const anySettings = fc.record({
  domain: fc.constantFrom("coding", "conversation", "discussion", "generic"),
  config: fc.constantFrom({}, { composition: "compatible" as const }, { ruleWeight: 0, modelWeight: 1 }),
});

describe("the reward of steps as they are taken", () => {
  it("is what scoring the run up to the step gives it, and corrections keep the past the same too", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 14 }), anySettings, (steps, { domain, config }) => {
        const reward = makeRewardFn({ domain, config });
        const known = new Set<string>();
        for (const [index, step] of steps.entries()) {
          const { reward: own, score, corrections } = reward(step);
          const whole = scoreTrajectoryByRules({
            steps: steps.slice(0, index + 1),
            profile: getDomainProfile(domain),
            config: parseRewardConfig(config),
          });
          expect(score).toEqual(whole.steps[index]);
          expect(own === null).toBe(score.total === null);
          if (own !== null) expect(own).toBeCloseTo(score.total ?? -1, 4);
          for (const { call: at, ...reason } of score.reasons) known.add(JSON.stringify([index, at, reason]));
          for (const { step: to, call: at, deduction } of corrections) {
            known.add(JSON.stringify([to, at, deduction]));
          }
          const all = whole.steps.flatMap((each) =>
            each.reasons.map(({ call: at, ...reason }) => JSON.stringify([each.index, at, reason])),
          );
          expect(new Set(all)).toEqual(known);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("names the step that broke tests when they fail", () => {
    const reward = makeRewardFn({ domain: "coding" });
    const run = (result: string): RuleCall => call("bash", { command: "pytest -q" }, result);
    const steps = stepsWith(
      run("3 passed in 0.1s"),
      call("edit_file", { file_path: "a.py", old_string: "x = 1", new_string: "x = 2" }),
      run("1 failed, 2 passed in 0.1s"),
    );
    const rewards = steps.map(reward);
    expect(rewards[1]).toMatchObject({ corrections: [] });
    expect(rewards[2]?.corrections).toMatchObject([
      { step: 1, call: 0, deduction: { code: "tests_broken" } },
    ]);
  });

  it("reads each step once, so that a long run costs no more by the step than a short one", () => {
    const reads = new Map<number, number>();
    const reward = makeRewardFn({ domain: "coding" });
    for (let index = 0; index < 300; index += 1) {
      reward({
        calls: [
          {
            tool: index % 2 === 0 ? "read_file" : "edit_file",
            params: {
              file_path: `/src/module_${index}.py`,
              old_string: `a${index}`,
              new_string: `b${index}`,
            },
            get output(): string {
              reads.set(index, (reads.get(index) ?? 0) + 1);
              return `lib/part_${index}/file.py`;
            },
          },
        ],
      });
    }
    expect(reads.size).toBe(300);
    expect(Math.max(...reads.values())).toBe(1);
  });

  it("refuses a domain that is not there and a configuration that is wrong", () => {
    expect(() => makeRewardFn({ domain: "cooking" })).toThrow(/no domain "cooking".*coding/);
    expect(() => makeRewardFn({ domain: "coding", config: { ruleWeight: 2 } })).toThrow(/must be 1/);
  });
});

describe("the reward of a history", () => {
  const counted = (
    calls: readonly RuleCall[],
  ): { readonly calls: readonly RuleCall[]; readonly reads: () => number } => {
    let reads = 0;
    return {
      calls: calls.map(({ output: text, ...rest }) => ({
        ...rest,
        get output(): string {
          reads += 1;
          return text;
        },
      })),
      reads: () => reads,
    };
  };

  it("is the last step's, whatever histories come before, grown, copied, exchanged or interleaved", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(anyCall, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        fc.array(fc.nat({ max: 2 }), { maxLength: 20 }),
        (runs, copied, order) => {
          const reward = makeHistoryRewardFn({ domain: "coding" });
          const histories = runs.map((): RuleCall[] => []);
          for (const turn of order) {
            const [run, history] = [runs[turn % runs.length] ?? [], histories[turn % runs.length] ?? []];
            const next = run[history.length];
            if (next === undefined) history.length = 0;
            else history.push(next);
            if (history.length === 0) continue;
            const given = copied ? [...history] : history;
            const expected = scoreTrajectoryByRules({
              steps: stepsWith(...history),
              profile: getDomainProfile("coding"),
              config: parseRewardConfig(),
            }).steps.at(-1)?.total;
            expect(reward(given, {})).toBeCloseTo(expected ?? 0, 4);
          }
        },
      ),
    );
  });

  it("does not score again what it has scored, in one array that grows or in copies", () => {
    const run = Array.from({ length: 50 }, (_, index) =>
      call("read_file", { file_path: `f${index}` }, "src/a.py"),
    );
    for (const copied of [false, true]) {
      const { calls, reads } = counted(run);
      const reward = makeHistoryRewardFn({ domain: "coding" });
      const history: RuleCall[] = [];
      for (const each of calls) {
        history.push(each);
        reward(copied ? [...history] : history);
      }
      expect(reads()).toBe(50);
      reward([calls[1], ...history.slice(1)].filter((each) => each !== undefined));
      expect(reads()).toBe(100);
    }
  });

  it("is 0 where nothing was done yet", () => {
    expect(makeHistoryRewardFn({ domain: "coding" })([])).toBe(0);
  });
});

describe("remembered tokens", () => {
  const piece = fc.constantFrom("a", "B", "/", "_", ".", "9", " ", "\n", "é", "İ", "漢", "(", "\ud83d");
  const text = fc.oneof(
    fc.array(piece, { maxLength: 25 }).map((parts) => parts.join("")),
    fc
      .array(fc.constantFrom("a/b", "/src/x.py", "/src/xy.py", "load_all", "LOAD_ALL", "ab", "x.py:1:"), {
        maxLength: 8,
      })
      .map((parts) => parts.join(" ")),
  );

  it("are found in the same texts as when all texts are known beforehand", () => {
    const turns = fc.array(fc.record({ output: text, query: text }), { maxLength: 10 });
    fc.assert(
      fc.property(turns, fc.constantFrom("mended" as const, "compatible" as const), (all, rule) => {
        const memory = new TokenMemory(rule);
        const found = all.map(({ output: said, query }) => {
          const answer = memory.isFoundIn(query);
          memory.remember(said);
          return answer;
        });
        const outputs = all.map(({ output: said }, step) => ({ step, output: said }));
        const queries = all.map(({ query }, step) => ({ step, text: query }));
        expect(found).toEqual(queryTokens({ outputs, queries, rule }));
      }),
      { numRuns: 500 },
    );
  });
});
