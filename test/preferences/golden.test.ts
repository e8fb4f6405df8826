import { describe, expect, it } from "vitest";
import { marginOf } from "../../shared/preferences/attempt.ts";
import { pairingOptionsSchema } from "../../shared/preferences/options.ts";
import { pairTask } from "../../shared/preferences/pair-task.ts";
import { attemptsOfFile } from "../../shared/preferences/reference-file.ts";
import { PairTotals } from "../../shared/preferences/summary.ts";
import { round4 } from "../../shared/reward/rounding.ts";
import { type GoldenCase, golden, hasGolden, whyGolden } from "../reward/golden.ts";

interface GoldenPair {
  readonly task_id: string;
  readonly chosen_trajectory_id: string;
  readonly rejected_trajectory_id: string;
  readonly chosen_reward: number;
  readonly rejected_reward: number;
  readonly margin: number;
  readonly raw_margin: number;
}

type GoldenPreferences = GoldenCase<
  { readonly trajectories_by_task: unknown; readonly min_margin: number },
  { readonly pairs: readonly GoldenPair[]; readonly summary: Readonly<Record<string, number>> }
>;

const cases = golden<GoldenPreferences>("preferences.json").filter(
  ({ reference_defect }) => reference_defect === undefined,
);

describe.skipIf(!hasGolden)(`pairs of the reference${whyGolden}`, () => {
  it.each(cases.map((each) => [each.name, each] as const))("%s", (_, { input, expected }) => {
    const options = pairingOptionsSchema.parse({ margin: input.min_margin, ties: "first-wins" });
    const summary = new PairTotals();
    const pairs = attemptsOfFile(input.trajectories_by_task).tasks.flatMap((task) => {
      const made = pairTask(task, options);
      for (const pair of made.pairs) summary.add(task.task, pair);
      return made.pairs.map((pair) => ({ task: task.task, pair }));
    });
    expect(
      pairs.map(({ task, pair }) => ({
        task_id: task,
        chosen_trajectory_id: pair.chosen.id,
        rejected_trajectory_id: pair.rejected.id,
        chosen_reward: round4(pair.chosen.reward),
        rejected_reward: round4(pair.rejected.reward),
        margin: round4(marginOf(pair)),
        raw_margin: marginOf(pair),
      })),
    ).toEqual(expected.pairs);
    const { pairs: total, tasks, margins } = summary.facts();
    expect({
      total_pairs: total,
      unique_tasks: tasks,
      // Where there is no pair, the reference says 0 and we say that there is no margin.
      avg_margin: margins.mean ?? 0,
      min_margin: margins.min ?? 0,
      max_margin: margins.max ?? 0,
    }).toEqual(expected.summary);
  });

  it("covers what the reference got right", () => {
    expect(cases.length).toBeGreaterThanOrEqual(14);
  });
});
