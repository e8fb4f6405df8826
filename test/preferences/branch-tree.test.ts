import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Attempt } from "../../shared/preferences/attempt.ts";
import { type BranchOptions, type BranchPair, BranchTree } from "../../shared/preferences/branch-tree.ts";
import { type DecisionPath, decisionPath } from "../../shared/preferences/decision-path.ts";
import { makeTrajectory } from "../redaction/trajectories.ts";
import { makeAttempt } from "./factories.ts";

type Run = readonly [attempt: Attempt, path: DecisionPath];

/** `ab` is the action a answered by b, and so on; letters stand for hashes. */
function path(pairs: string, prompt = "p"): DecisionPath {
  const decisions = (pairs.match(/../g) ?? []).map(([action = "", observation = ""]) => ({
    action,
    observation,
  }));
  return { prompt, decisions };
}

function treeOf(runs: readonly Run[]): BranchTree {
  const tree = new BranchTree();
  for (const [attempt, of] of runs) tree.add(attempt, of);
  return tree;
}

function pairsOf(runs: readonly Run[], options: Partial<BranchOptions> = {}): readonly BranchPair[] {
  return treeOf(runs).pairs({ margin: 0.05, minRuns: 1, verified: false, ...options }).pairs;
}

describe("pairs of steps", () => {
  it("stand where attempts with the same history act differently, by the mean reward of each way", () => {
    const pairs = pairsOf([
      [makeAttempt("a", 1), path("xoyo")],
      [makeAttempt("b", 0.5), path("xoyo")],
      [makeAttempt("c", 0.2), path("xozo")],
    ]);
    expect(pairs).toMatchObject([
      {
        prefix: 1,
        chosen: { attempt: { id: "a" }, value: 0.75, runs: 2 },
        rejected: { attempt: { id: "c" }, value: 0.2, runs: 1 },
      },
    ]);
  });

  it("are none where only the environment answered differently, nor after it did", () => {
    expect(
      pairsOf([
        [makeAttempt("a", 1), path("xoyo")],
        [makeAttempt("b", 0), path("xqzo")],
      ]),
    ).toEqual([]);
  });

  it("are none between different prompts or scales", () => {
    const other = makeAttempt("b", 0, { scale: "other" });
    expect(
      pairsOf([
        [makeAttempt("a", 1), path("xo")],
        [other, path("yo")],
      ]),
    ).toEqual([]);
    expect(
      pairsOf([
        [makeAttempt("a", 1), path("xo")],
        [makeAttempt("b", 0), path("yo", "q")],
      ]),
    ).toEqual([]);
  });

  it("need the least number of attempts through both steps, a margin, and verdicts where asked for", () => {
    const runs: readonly Run[] = [
      [makeAttempt("a", 1, { success: true }), path("xo")],
      [makeAttempt("b", 0.8, { success: null }), path("xo")],
      [makeAttempt("c", 0.3, { success: false }), path("yo")],
    ];
    expect(pairsOf(runs, { verified: true })).toHaveLength(1);
    expect(pairsOf(runs, { minRuns: 2 })).toEqual([]);
    expect(pairsOf(runs, { margin: 0.61 })).toEqual([]);
    expect(treeOf(runs).pairs({ margin: 0, minRuns: 2, verified: false }).leftOut).toEqual({
      "too few attempts through a step": 1,
    });
  });

  it("agree with comparing every two attempts by hand", () => {
    const runs = fc
      .array(
        fc.record({
          reward: fc.constantFrom(0, 0.25, 0.5, 1),
          steps: fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 8 }),
        }),
        { maxLength: 9 },
      )
      .map((all) =>
        all.map(({ reward, steps }, index): Run => [makeAttempt(`t${index}`, reward), path(steps)]),
      );
    fc.assert(
      fc.property(runs, (some) => {
        const pairs = pairsOf(some, { margin: 0 });
        const pathOf = new Map(some.map(([attempt, of]) => [attempt.id, of]));
        for (const { prefix, chosen, rejected } of pairs) {
          const [left, right] = [pathOf.get(chosen.attempt.id), pathOf.get(rejected.attempt.id)];
          expect(left?.decisions.slice(0, prefix)).toEqual(right?.decisions.slice(0, prefix));
          expect(left?.decisions[prefix]?.action).not.toBe(right?.decisions[prefix]?.action);
          for (const [side, of] of [
            [chosen, left],
            [rejected, right],
          ] as const) {
            const through = some.filter(
              ([, each]) =>
                JSON.stringify(each.decisions.slice(0, prefix)) ===
                  JSON.stringify(of?.decisions.slice(0, prefix)) &&
                each.decisions[prefix]?.action === of?.decisions[prefix]?.action,
            );
            expect(side.runs).toBe(through.length);
            expect(side.value).toBeCloseTo(
              through.reduce((sum, [attempt]) => sum + attempt.reward, 0) / through.length,
            );
          }
          expect(chosen.value).toBeGreaterThan(rejected.value);
        }
        const states = new Set<string>();
        for (const [, a] of some) {
          for (const [, b] of some) {
            const at = a.decisions.findIndex((each, k) => each.action !== b.decisions[k]?.action);
            const same =
              JSON.stringify(a.decisions.slice(0, at)) === JSON.stringify(b.decisions.slice(0, at));
            if (at >= 0 && b.decisions.length > at && same)
              states.add(JSON.stringify(a.decisions.slice(0, at)));
          }
        }
        const found = new Set(
          pairs.map(({ prefix, chosen }) =>
            JSON.stringify(pathOf.get(chosen.attempt.id)?.decisions.slice(0, prefix)),
          ),
        );
        for (const state of found) expect(states).toContain(state);
      }),
    );
  });

  it("of very long attempts need no deep call stack", () => {
    const long = "xo".repeat(20_000);
    expect(
      pairsOf([
        [makeAttempt("a", 1), path(`${long}yo`)],
        [makeAttempt("b", 0), path(`${long}zo`)],
      ]),
    ).toMatchObject([{ prefix: 20_000 }]);
  });
});

describe("the path of a trajectory", () => {
  const agent = (message: string, command: string, output: string): Readonly<Record<string, unknown>> => ({
    source: "agent",
    message,
    tool_calls: [{ tool_call_id: `c-${message}`, function_name: "bash", arguments: { command } }],
    observation: { results: [{ source_call_id: `c-${message}`, content: output }] },
  });
  const user = (message: string): Readonly<Record<string, unknown>> => ({ source: "user", message });

  it("does not see thoughts and call ids, and sees actions, answers and what the user says", () => {
    const base = decisionPath(
      makeTrajectory([user("do"), agent("one", "ls", "a"), user("more"), agent("two", "pwd", "b")]),
    );
    const reworded = makeTrajectory([
      user("do"),
      agent("ONE", "ls", "a"),
      user("more"),
      agent("TWO", "pwd", "b"),
    ]);
    expect(decisionPath(reworded)).toEqual(base);
    const asked = decisionPath(
      makeTrajectory([user("do"), agent("one", "ls", "a"), user("less"), agent("two", "pwd", "b")]),
    );
    expect(asked.decisions[0]?.action).toBe(base.decisions[0]?.action);
    expect(asked.decisions[0]?.observation).not.toBe(base.decisions[0]?.observation);
    expect(asked.decisions[1]).toEqual(base.decisions[1]);
    expect(decisionPath(makeTrajectory([user("other"), agent("one", "ls", "a")])).prompt).not.toBe(
      base.prompt,
    );
  });

  it("counts steps as scores do: copied context is none", () => {
    const copied = { ...agent("old", "ls", "a"), is_copied_context: true };
    const steps = decisionPath(makeTrajectory([user("do"), copied, agent("one", "ls", "a")])).decisions;
    expect(steps).toHaveLength(1);
  });
});
