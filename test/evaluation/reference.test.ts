import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { agentFigures } from "../../shared/evaluation/agent-figures.ts";
import { compareAgents } from "../../shared/evaluation/compare-agents.ts";
import { completeSettings } from "../../shared/evaluation/settings.ts";
import { agent, episode } from "./factories.ts";

const GOLDEN = join(import.meta.dirname, "../../../shared/reference/golden/evaluation.json");
const here = existsSync(GOLDEN);

interface Stats {
  readonly name: string;
  readonly input: {
    readonly episodes?: readonly {
      readonly episode: number;
      readonly success: boolean;
      readonly total_reward: number;
      readonly n_steps: number;
    }[];
  };
  readonly expected: {
    readonly success_rate: number;
    readonly avg_reward: number;
    readonly avg_steps: number;
  };
  readonly scipy_wilson?: readonly [number, number];
}

const cases: readonly Stats[] = here
  ? JSON.parse(readFileSync(GOLDEN, "utf8")).filter(({ name }: Stats) => /^stats_(?!empty)/.test(name))
  : [];

describe("the reference's evaluations", () => {
  it.skipIf(!here)(`are there${here ? "" : " [skipped: ../shared/reference is absent]"}`, () => {
    expect(cases.length).toBeGreaterThanOrEqual(3);
  });

  it.each(cases)("$name: the same means, and scipy's interval of the success rate", (golden) => {
    const { input, expected, scipy_wilson: wilson = [] } = golden;
    const episodes = (input.episodes ?? []).map((each) =>
      episode({
        ...{ task: `t${each.episode}`, success: each.success },
        ...{ return: each.total_reward, steps: each.n_steps },
      }),
    );
    const { metrics } = agentFigures(agent("a", episodes), {
      planned: episodes.length,
      settings: completeSettings({ resamples: 100 }),
      bins: [],
    });
    expect(metrics.success?.value).toBeCloseTo(expected.success_rate, 12);
    expect(metrics.return?.value).toBeCloseTo(expected.avg_reward, 12);
    expect(metrics.steps?.value).toBeCloseTo(expected.avg_steps, 12);
    const { success } = metrics;
    if (success === undefined || success.value === null) throw new Error("there is a success rate");
    expect(success.interval.low).toBeCloseTo(wilson[0] ?? Number.NaN, 12);
    expect(success.interval.high).toBeCloseTo(wilson[1] ?? Number.NaN, 12);
  });

  it("find two agents identical that differ on every task; here they differ, and the length is told", () => {
    // Returns of 1.1 in 2 steps and 1.7 in 4 on each of six episodes.
    const six = (total: number, steps: number) =>
      Array.from({ length: 6 }, (_, task) => episode({ task: `t${task}`, return: total, steps }));
    const { comparisons, problems } = compareAgents([agent("a", six(1.1, 2)), agent("b", six(1.7, 4))]);
    const found = comparisons.find(({ metric }) => metric === "return");
    expect(found).toMatchObject({ significant: true, better: "b", test: { p: 2 / 64 } });
    expect(problems.map(({ code }) => code)).toEqual(["return_follows_length"]);
  });
});
