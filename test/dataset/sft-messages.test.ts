import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sftMessages } from "../../shared/dataset/sft-messages.ts";
import { sftRow } from "../../shared/dataset/sft-row.ts";
import type { StoredScore } from "../../shared/stages/score-trajectory.ts";
import { agentSteps } from "../../shared/trajectory/agent-steps.ts";
import type { Trajectory } from "../../shared/trajectory/schema.ts";
import { makeTrajectory } from "../redaction/trajectories.ts";

type Input = Readonly<Record<string, unknown>>;

const user = (message: unknown, more: Input = {}): Input => ({ source: "user", message, ...more });
const agent = (message: unknown, more: Input = {}): Input => ({ source: "agent", message, ...more });
const call = (id: string, more: Input = {}): Input => ({
  tool_call_id: id,
  function_name: "bash",
  arguments: { command: "ls" },
  ...more,
});
const result = (id: string | null, content: unknown, more: Input = {}): Input => ({
  source_call_id: id,
  content,
  ...more,
});
const observed = (...results: readonly Input[]): Input => ({ observation: { results } });

function messagesOf(steps: readonly Input[]): readonly unknown[] {
  return sftMessages(makeTrajectory(steps)).map(({ message }) => message);
}

function weightsOf(trajectory: Trajectory): readonly number[] | undefined {
  return sftRow(trajectory, undefined)?.weights;
}

/** A score with the given totals of the agent's steps. */
function makeStepScores(totals: readonly number[], total = 0.5): StoredScore {
  const steps = totals.map((value, index) => ({ index, total: value, rubrics: {}, calls: [], reasons: [] }));
  return {
    schema: "gymline.score.v1",
    total,
    outcome: null,
    process: total,
    efficiency: null,
    step_count: totals.length,
    layers: ["rules"],
    steps,
    trajectory_id: "0".repeat(64),
    revision: "2",
    scorer: "scorer",
    domain: "coding",
  } as unknown as StoredScore;
}

describe("sftMessages", () => {
  it("renders native calls as tool_calls with JSON arguments, and their results by id", () => {
    const steps = [
      user("do it"),
      agent("I look.", {
        tool_calls: [call("c1"), call("c2", { arguments: { a: { b: [1] } } })],
        ...observed(result("c2", "second"), result("c1", "first")),
      }),
    ];
    expect(messagesOf(steps)).toEqual([
      { role: "user", content: "do it" },
      {
        role: "assistant",
        content: "I look.",
        tool_calls: [
          { id: "c1", type: "function", function: { name: "bash", arguments: '{"command":"ls"}' } },
          { id: "c2", type: "function", function: { name: "bash", arguments: '{"a":{"b":[1]}}' } },
        ],
      },
      { role: "tool", tool_call_id: "c2", name: "bash", content: "second" },
      { role: "tool", tool_call_id: "c1", name: "bash", content: "first" },
    ]);
  });

  it("gives arguments back as the model wrote them where they are no JSON object", () => {
    const raw = { extra: { gymline: { raw_arguments: '{"command": ls' } } };
    const [, message] = messagesOf([
      user("x"),
      agent("", { tool_calls: [call("c", { arguments: {}, ...raw })] }),
    ]);
    expect(message).toMatchObject({ tool_calls: [{ function: { arguments: '{"command": ls' } }] });
  });

  it("leaves calls that were written in the text there, and returns their output as the user's", () => {
    const text = call("c", { extra: { gymline: { from: "text" } } });
    const steps = [
      agent("THOUGHT\n```\nls\n```", {
        tool_calls: [text],
        ...observed(result("c", "a.txt", { extra: { gymline: { role: "user" } } })),
      }),
    ];
    expect(messagesOf(steps)).toEqual([
      { role: "assistant", content: "THOUGHT\n```\nls\n```" },
      { role: "user", content: "a.txt" },
    ]);
  });

  it("keeps reasoning apart from the message", () => {
    expect(messagesOf([agent("Done.", { reasoning_content: "Let me think." })])).toEqual([
      { role: "assistant", content: "Done.", reasoning_content: "Let me think." },
    ]);
    expect(messagesOf([agent("Done.", { reasoning_content: "" })])).toEqual([
      { role: "assistant", content: "Done." },
    ]);
  });

  it("keeps system and developer roles", () => {
    const developer = { extra: { gymline: { role: "developer" } } };
    expect(
      messagesOf([
        { source: "system", message: "rules" },
        { source: "system", message: "more rules", ...developer },
        user("hello"),
      ]),
    ).toEqual([
      { role: "system", content: "rules" },
      { role: "developer", content: "more rules" },
      { role: "user", content: "hello" },
    ]);
  });

  it("marks media, since a row is text", () => {
    const image = { type: "image", source: { media_type: "image/png", path: "blobs/x" } };
    const parts = [{ type: "text", text: "look:" }, image];
    const steps = [user(parts), agent("ok", { tool_calls: [call("c")], ...observed(result("c", [image])) })];
    expect(messagesOf(steps)).toMatchObject([
      { content: "look:\n[image]" },
      { role: "assistant" },
      { role: "tool", content: "[image]" },
    ]);
  });

  it("returns output that answers no call of the log as the user's, never as a tool's", () => {
    const orphan = result(null, "late output", { extra: { gymline: { orphan_call_id: "gone" } } });
    const bare = {
      source: "system",
      message: "",
      ...observed(result(null, "motd", { extra: { gymline: { role: "system" } } })),
    };
    expect(messagesOf([bare, agent("hm", observed(orphan))])).toEqual([
      { role: "system", content: "motd" },
      { role: "assistant", content: "hm" },
      { role: "user", content: "late output" },
    ]);
  });
});

describe("sftRow", () => {
  const copied = { is_copied_context: true };
  const masked = { extra: { gymline: { trainable: false } } };

  it("trains on the agent's own messages only: not on context, copies and masked turns", () => {
    const trajectory = makeTrajectory([
      { source: "system", message: "rules" },
      user("task", copied),
      agent("earlier", { ...copied, tool_calls: [call("c")], ...observed(result("c", "out")) }),
      user("task"),
      agent("demonstration", masked),
      agent("own", { tool_calls: [call("d")], ...observed(result("d", "out")) }),
      agent("done"),
    ]);
    expect(weightsOf(trajectory)).toEqual([0, 0, 0, 0, 0, 0, 1, 0, 1]);
  });

  it("is no row where nothing may be learnt", () => {
    expect(weightsOf(makeTrajectory([user("x"), agent("y", masked)]))).toBeUndefined();
    expect(weightsOf(makeTrajectory([user("x")]))).toBeUndefined();
  });

  it("puts each step's reward beside the message of that step", () => {
    const trajectory = makeTrajectory([
      user("task"),
      agent("copied", copied),
      agent("one", { tool_calls: [call("c")], ...observed(result("c", "out")) }),
      agent("masked", masked),
      agent("three"),
      agent("unscored"),
    ]);
    expect(agentSteps(trajectory).map(({ message }) => message)).toEqual([
      "one",
      "masked",
      "three",
      "unscored",
    ]);
    const row = sftRow(trajectory, makeStepScores([0.1, 0.2, 0.3]));
    expect(row?.step_rewards).toEqual([null, null, 0.1, null, 0.2, 0.3, null]);
    expect(row?.reward).toBe(0.5);
  });

  it("gives no weight to an empty turn or to a step that no model wrote", () => {
    const steps = [
      user("task"),
      agent(""),
      agent("framework says bye", { llm_call_count: 0 }),
      agent("mine"),
    ];
    expect(sftRow(makeTrajectory(steps), undefined)?.weights).toEqual([0, 0, 0, 1]);
  });

  it("has one weight and one step reward for each message, and rewards on assistant messages only", () => {
    const step = fc.oneof(
      fc.string().map((message) => user(message)),
      fc
        .record({ message: fc.string(), copy: fc.boolean(), trainable: fc.boolean(), calls: fc.nat(3) })
        .map(({ message, copy, trainable, calls }) => {
          const ids = Array.from({ length: calls }, (_, index) => `c${index}`);
          return agent(message, {
            is_copied_context: copy,
            extra: { gymline: { trainable } },
            tool_calls: ids.map((id) => call(id)),
            ...observed(...ids.map((id) => result(id, "out")), result(null, "loose")),
          });
        }),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const trajectory = makeTrajectory(steps);
        const own = agentSteps(trajectory);
        const row = sftRow(trajectory, makeStepScores(own.map((_, index) => index / 100)));
        const trained = own.filter(
          ({ message, calls, step: { extra } }) =>
            extra?.gymline?.trainable !== false && (message !== "" || calls.length > 0),
        );
        expect(row === undefined).toBe(trained.length === 0);
        if (row === undefined) return;
        const { messages, weights, step_rewards: rewards } = row;
        expect([weights.length, rewards.length]).toEqual([messages.length, messages.length]);
        expect(messages.filter((_, index) => weights[index] === 1).map(({ content }) => content)).toEqual(
          trained.map(({ message }) => message),
        );
        const scored = messages.flatMap(({ role, content }, index) =>
          rewards[index] === null ? [] : [[role, content]],
        );
        expect(scored).toEqual(own.map(({ message }) => ["assistant", message]));
      }),
    );
  });
});
