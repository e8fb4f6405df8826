import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareGroups } from "../../shared/leaderboard/compare-groups.ts";
import {
  type LeaderboardOptions,
  type LeaderboardRun,
  leaderboard,
} from "../../shared/leaderboard/leaderboard.ts";
import { scoreFacts } from "../../shared/leaderboard/side-by-side.ts";
import { call, score, stepsWith } from "../reward/factories.ts";
import { makeRun, makeRuns } from "./factories.ts";

const options: LeaderboardOptions = { by: ["agent"], metric: "reward", minRuns: 5, seed: 3, resamples: 200 };

function runsOf(agent: string, facts: Parameters<typeof makeRuns>[0]): readonly LeaderboardRun[] {
  return makeRuns(facts).map(({ task, value }, index) =>
    makeRun(`${agent} ${index}`, { agent, taskKey: task, reward: value, process: value }),
  );
}

describe("the leaderboard", () => {
  it("ranks by the metric and parts neighbours into tiers only where tests say so", () => {
    const runs = [
      ...runsOf("low", { tasks: 20, seed: 3 }),
      ...runsOf("high", { tasks: 20, seed: 1, lift: 0.3 }),
      ...runsOf("also high", { tasks: 20, seed: 2, lift: 0.299 }),
    ];
    const { ranked } = leaderboard(runs, options);
    expect(ranked.map(({ tier }) => tier)).toEqual([1, 1, 2]);
    expect(ranked.at(-1)).toMatchObject({ group: { agent: "low" }, next: null });
    expect(ranked[0]?.next).toMatchObject({ kind: "paired", separable: false });
    expect(ranked[1]?.next?.adjusted).toBeLessThan(0.05);
  });

  it("lists groups with too few runs, or without the metric, apart from the ranking", () => {
    const runs = [
      ...runsOf("many", { tasks: 6, seed: 1 }),
      makeRun("one", { agent: "few" }),
      ...Array.from({ length: 9 }, (_, index) =>
        makeRun(`unscored ${index}`, { agent: "unscored", reward: null }),
      ),
    ];
    const { ranked, unranked } = leaderboard(runs, options);
    expect(ranked.map(({ group }) => group.agent)).toEqual(["many"]);
    expect(unranked.map(({ group, metric }) => [group.agent, metric.value])).toEqual([
      ["unscored", null],
      ["few", 0.5],
    ]);
  });

  it("counts success over verdicts only, and gives equal values the same rank", () => {
    const runs = ["a", "b"].flatMap((agent) =>
      [true, false, null, null, true].map((success, index) =>
        makeRun(`${agent}${index}`, { agent, success }),
      ),
    );
    const { ranked } = leaderboard(runs, { ...options, metric: "success", minRuns: 3 });
    expect(ranked.map(({ rank }) => rank)).toEqual([1, 1]);
    expect(ranked[0]?.success).toMatchObject({ n: 3, value: 2 / 3, interval: { method: "wilson" } });
    expect(ranked[0]?.metric).toMatchObject({ n: 3, value: 2 / 3 });
  });

  it("has no interval over fewer than five tasks, however many runs there are", () => {
    const { ranked } = leaderboard(runsOf("a", { tasks: 4, attempts: 50, seed: 1 }), options);
    expect(ranked[0]?.metric).toMatchObject({ n: 200, interval: { low: null, why: "too_few" } });
    const byTask = leaderboard(runsOf("a", { tasks: 4, attempts: 50, seed: 1 }), {
      ...options,
      by: ["task"],
    });
    expect(byTask.ranked[0]?.metric).toMatchObject({ n: 50, interval: { low: expect.any(Number) } });
  });

  it("is the same whatever the order of the runs, and loses none", () => {
    const runs = fc
      .array(
        fc.record({
          agent: fc.constantFrom("a", "b", "c"),
          model: fc.constantFrom("m", null),
          taskKey: fc.constantFrom("1", "2", "3", "4", "5", "6"),
          reward: fc.constantFrom(0, 0.25, 0.5, null),
          success: fc.constantFrom(true, false, null),
        }),
        { maxLength: 25 },
      )
      .map((all) => all.map((each, index) => makeRun(`run ${index}`, each)));
    fc.assert(
      fc.property(runs, fc.constantFrom("reward" as const, "success" as const), (some, metric) => {
        const given: LeaderboardOptions = {
          ...options,
          by: ["agent", "model"],
          metric,
          minRuns: 2,
          resamples: 100,
        };
        const board = leaderboard(some, given);
        expect(leaderboard(some.toReversed(), given)).toEqual(board);
        const all = [...board.ranked, ...board.unranked];
        expect(all.reduce((sum, { runs: n }) => sum + n, 0)).toBe(some.length);
        const values = board.ranked.map((group) => group.metric.value ?? -1);
        expect(values).toEqual(values.toSorted((a, b) => b - a));
        for (const { metric: estimate } of all) {
          if (estimate.value === null || estimate.interval.low === null) continue;
          expect(estimate.interval.low).toBeLessThanOrEqual(estimate.interval.high);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe("a comparison of two groups", () => {
  it("lists shared tasks by the size of their difference", () => {
    const a = [makeRun("a1", { taskKey: "x", reward: 0.9 }), makeRun("a2", { taskKey: "y", reward: 0.5 })];
    const b = [
      makeRun("b1", { taskKey: "x", reward: 0.8 }),
      makeRun("b2", { taskKey: "y", reward: 0.9 }),
      makeRun("b3", { taskKey: "y", reward: 0.7 }),
      makeRun("b4", { taskKey: "z", reward: 0.7 }),
    ];
    const { tasks, difference } = compareGroups(a, b, { metric: "reward", seed: 1, level: 0.95 });
    expect(tasks.map(({ task }) => task)).toEqual(["y", "x"]);
    expect(tasks[0]).toMatchObject({ a: { runs: 1 }, b: { runs: 2, mean: 0.8 } });
    expect(difference).toMatchObject({ kind: "paired", shared: 2, runs: [2, 3] });
    expect(difference?.value).toBeCloseTo(-0.1);
  });
});

describe("a score beside others", () => {
  it("gives rubric means with the steps they rest on, and deductions by code", () => {
    const read = call("read_file", { file_path: "a.txt" }, "src/main.ts");
    const facts = scoreFacts(score(stepsWith(read, read, call("bash", { command: "rm b" }))));
    expect(facts.deductions).toEqual({ repeated_read: 1, unused_information: 1 });
    expect(facts.rubrics["non_redundancy"]).toEqual({ mean: 0.6667, n: 3 });
    expect(facts.rubrics["info_utilization"]?.n).toBe(1);
    expect(scoreFacts(score([]))).toMatchObject({ total: null, layers: [], steps: 0 });
  });
});
