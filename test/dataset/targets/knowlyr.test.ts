import { describe, expect, it } from "vitest";
import {
  type KnowlyrStep,
  type KnowlyrTrajectory,
  knowlyrBenchmarkRow,
  knowlyrDpoRow,
  knowlyrGrpoRow,
  knowlyrOf,
  knowlyrSftRow,
  stepsText,
} from "../../../shared/dataset/targets/knowlyr.ts";
import { makeTrajectory } from "../../redaction/trajectories.ts";
import { type GoldenCase, golden, hasGolden, whyGolden } from "../../reward/golden.ts";

interface Pair {
  readonly task_id: string;
  readonly chosen: KnowlyrTrajectory;
  readonly rejected: KnowlyrTrajectory;
  readonly reward_margin?: number;
  readonly metadata?: { readonly task_description?: string };
}

type Case = GoldenCase<
  {
    readonly trajectories?: readonly KnowlyrTrajectory[];
    readonly preferences?: readonly Pair[];
    readonly steps?: readonly KnowlyrStep[];
  },
  { readonly records: readonly unknown[] } & string
>;

const cases = golden<Case>("exporter.json");

function named(name: string): Case {
  const found = cases.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no vector ${name}`);
  return found;
}

/** JavaScript does not tell 1.0 from 1, which the vectors' steps hold once, in a call's arguments. */
function withWholeNumbers(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll('\\"n\\": 1.0', '\\"n\\": 1'));
}

function byReward(trajectories: readonly KnowlyrTrajectory[]): readonly KnowlyrTrajectory[] {
  return trajectories.toSorted((a, b) => (b.reward ?? 0) - (a.reward ?? 0));
}

describe.skipIf(!hasGolden)(`rows as knowlyr-gym writes them${whyGolden}`, () => {
  it("are the reference's SFT records", () => {
    const { input, expected } = named("sft_full");
    const succeeded = byReward((input.trajectories ?? []).filter(({ success }) => success === true));
    expect(succeeded.map(knowlyrSftRow)).toEqual(withWholeNumbers(expected.records));
    const { input: some, expected: first } = named("sft_missing_fields");
    expect((some.trajectories ?? []).slice(0, 1).map(knowlyrSftRow)).toEqual(first.records);
  });

  it("are the reference's GRPO records, apart from groups of one", () => {
    const { input, expected } = named("grpo_full");
    const groups = Map.groupBy(input.trajectories ?? [], ({ task_id = "" }) => task_id);
    const rows = [...groups]
      .filter(([task, group]) => task !== "" && group.length > 1)
      .map(([task, group]) => knowlyrGrpoRow(task, byReward(group)));
    expect(rows).toEqual(withWholeNumbers(expected.records));
  });

  it("are the reference's benchmark records", () => {
    const { input, expected } = named("benchmark_full");
    const groups = Map.groupBy(input.trajectories ?? [], ({ task_id = "" }) => task_id);
    expect([...groups].map(([task, group]) => knowlyrBenchmarkRow(task, group))).toEqual(expected.records);
  });

  it("are the reference's DPO records", () => {
    const { input, expected } = named("dpo_array");
    const rows = (input.preferences ?? []).map(({ reward_margin: margin = 0, metadata, ...pair }) =>
      knowlyrDpoRow({ ...pair, margin, description: metadata?.task_description }),
    );
    expect(rows).toEqual(withWholeNumbers(expected.records));
  });

  it.each(
    cases.filter(({ name }) => name.startsWith("steps_to_text")).map((each) => [each.name, each] as const),
  )("have the reference's text: %s", (_, { input, expected }) => {
    expect(stepsText(input.steps ?? [])).toBe(withWholeNumbers(expected));
  });
});

describe("a trajectory in knowlyr-gym's shape", () => {
  it("has a step for each call, and one for a turn without", () => {
    const trajectory = makeTrajectory(
      [
        { source: "user", message: "do it" },
        {
          source: "agent",
          message: "I look.",
          tool_calls: [
            { tool_call_id: "a", function_name: "bash", arguments: { command: "ls" } },
            { tool_call_id: "b", function_name: "bash", arguments: {} },
          ],
          observation: {
            results: [
              { source_call_id: "a", content: "x" },
              { source_call_id: "b", content: "é" },
            ],
          },
        },
        { source: "agent", message: "done" },
      ],
      { gymline: { task: { id: "T", description: "mend it", metadata: { difficulty: "easy" } } } },
    );
    const known = knowlyrOf(trajectory, { reward: 0.5, success: true });
    expect(known).toMatchObject({ task_id: "T", total_steps: 3, reward: 0.5, success: true });
    expect(known.metadata).toEqual({ task_description: "mend it", difficulty: "easy" });
    expect(stepsText(known.steps ?? [])).toBe(
      'Step 1:\nThought: I look.\nAction: bash({"command": "ls"})\nObservation: x\n\nStep 2:\nAction: bash\nObservation: é\n\nStep 3:\nAction: done',
    );
  });
});
