import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChatMessage, type SftMessage, sftMessages } from "../../../shared/dataset/sft-messages.ts";
import { swiftMessages } from "../../../shared/dataset/targets/ms-swift.ts";
import { pairParts } from "../../../shared/dataset/targets/pair-parts.ts";
import { stepTexts } from "../../../shared/dataset/targets/prm.ts";
import { renderTrajectory } from "../../../shared/dataset/targets/render-trajectory.ts";
import { isAgents, sharegpt } from "../../../shared/dataset/targets/sharegpt.ts";
import type { TargetId } from "../../../shared/dataset/targets/targets.ts";
import type { Row } from "../../../shared/dataset/targets/write-row.ts";
import type { Trajectory } from "../../../shared/trajectory/schema.ts";
import { makeTrajectory } from "../../redaction/trajectories.ts";

type Input = Readonly<Record<string, unknown>>;

const user = (message: string): Input => ({ source: "user", message });
const agent = (message: string, more: Input = {}): Input => ({ source: "agent", message, ...more });
const masked: Input = { extra: { gymline: { trainable: false } } };

function calls(...commands: readonly (readonly [string, string])[]): Input {
  return {
    tool_calls: commands.map(([command], index) => ({
      tool_call_id: `c${index}`,
      function_name: "bash",
      arguments: { command },
    })),
    observation: {
      results: commands.map(([, content], index) => ({ source_call_id: `c${index}`, content })),
    },
  };
}

function rowOf(target: TargetId, trajectory: Trajectory): Row {
  const rendered = renderTrajectory(target, { trajectory, score: undefined });
  if (rendered.kind === "refused") throw new Error(rendered.reason);
  return rendered.row;
}

function reasonOf(target: TargetId, trajectory: Trajectory): string | undefined {
  const rendered = renderTrajectory(target, { trajectory, score: undefined });
  return rendered.kind === "refused" ? rendered.reason : undefined;
}

const definition = { name: "bash", description: "runs", input_schema: { type: "object", properties: {} } };
const chat = makeTrajectory(
  [
    { source: "system", message: "rules" },
    user("task"),
    agent("I look.", { reasoning_content: "hm", ...calls(["ls", "a"], ["pwd", "/"]) }),
    agent("done"),
  ],
  { agent: { tool_definitions: [definition] } },
);

describe("rows of single trajectories", () => {
  it("for TRL part before the first message that is learnt", () => {
    expect(rowOf("trl-prompt-completion", chat)).toMatchObject({
      prompt: [{ role: "system" }, { role: "user", content: "task" }],
      completion: [{ role: "assistant" }, { role: "tool" }, { role: "tool" }, { role: "assistant" }],
    });
    const shown = makeTrajectory([user("x"), agent("shown", masked), user("y"), agent("own")]);
    expect(rowOf("trl-prompt-completion", shown)).toMatchObject({ completion: [{ content: "own" }] });
  });

  it("for trainers that learn every turn are refused where a turn is masked", () => {
    const inside = makeTrajectory([user("x"), agent("own"), user("y"), agent("masked", masked)]);
    const before = makeTrajectory([user("x"), agent("masked", masked), user("y"), agent("own")]);
    const reason = "a message in its middle may not be trained on";
    for (const target of ["trl-prompt-completion", "llama-factory"] as const)
      expect(reasonOf(target, inside)).toBe(reason);
    expect(reasonOf("llama-factory", before)).toBe(reason);
    expect(reasonOf("verl", inside)).toBeUndefined();
  });

  it("for verl mark what is not learnt", () => {
    const trajectory = makeTrajectory([user("x"), agent("masked", masked), agent("own")]);
    expect(rowOf("verl", trajectory)["messages"]).toEqual([
      { role: "user", content: "x" },
      { role: "assistant", content: "masked", trainable: false },
      { role: "assistant", content: "own", trainable: true },
    ]);
  });

  it("for LLaMA-Factory hold calls as JSON after the thought, and results of one turn together", () => {
    expect(rowOf("llama-factory", chat)).toMatchObject({
      system: "rules",
      conversations: [
        { from: "human", value: "task" },
        {
          from: "function_call",
          value:
            '<think>\nhm\n\nI look.\n</think>\n\n[{"name":"bash","arguments":{"command":"ls"}},{"name":"bash","arguments":{"command":"pwd"}}]',
        },
        { from: "observation", value: "a\n</tool_response>\n<tool_response>\n/" },
        { from: "gpt", value: "done" },
      ],
      tools:
        '[{"type":"function","function":{"name":"bash","description":"runs","parameters":{"type":"object","properties":{}}}}]',
    });
    expect(reasonOf("llama-factory", makeTrajectory([agent("hello"), user("x")]))).toBe(
      "the agent speaks first",
    );
  });

  it("for ms-swift set calls apart, each with its loss", () => {
    expect(rowOf("ms-swift", chat)["messages"]).toEqual([
      { role: "system", content: "rules" },
      { role: "user", content: "task" },
      { role: "assistant", content: "<think>\nhm\n</think>\n\nI look.", loss: true },
      { role: "tool_call", content: '{"name":"bash","arguments":{"command":"ls"}}', loss: true },
      { role: "tool_call", content: '{"name":"bash","arguments":{"command":"pwd"}}', loss: true },
      { role: "tool_response", content: "a" },
      { role: "tool_response", content: "/" },
      { role: "assistant", content: "done", loss: true },
    ]);
  });

  it("for OpenAI end with the assistant, weigh its messages, and have no column that the service does not know", () => {
    const row = rowOf("openai", makeTrajectory([user("x"), agent("m", masked), agent("own"), user("bye")]));
    expect(row).toEqual({
      messages: [
        { role: "user", content: "x" },
        { role: "assistant", content: "m", weight: 0 },
        { role: "assistant", content: "own", weight: 1 },
      ],
    });
    expect(rowOf("openai", chat)).toMatchObject({ parallel_tool_calls: true, tools: [{ type: "function" }] });
    expect(JSON.stringify(rowOf("openai", chat))).not.toContain("reasoning_content");
  });

  it("of ATIF are the stored documents", () => {
    expect(JSON.parse(JSON.stringify(rowOf("atif", chat)))).toEqual(JSON.parse(JSON.stringify(chat)));
  });
});

const message = fc.record({
  role: fc.constantFrom("system", "user", "assistant", "tool"),
  content: fc.string({ maxLength: 5 }),
});

describe("sharegpt turns", () => {
  it("alternate and lose no text, whatever the messages are", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 12 }), (messages) => {
        const { system, turns } = sharegpt(messages as readonly ChatMessage[]);
        for (const [index, turn] of turns.entries()) {
          const before = turns[index - 1];
          if (before !== undefined) expect(isAgents(turn)).not.toBe(isAgents(before));
        }
        const text = [system, ...turns.map(({ value }) => value)].join("\n");
        for (const { content } of messages) expect(text).toContain(content);
      }),
    );
  });
});

describe("ms-swift messages", () => {
  it("carry a loss on what the agent wrote, and nowhere else", () => {
    const messages = sftMessages(chat);
    for (const { role, loss } of swiftMessages(messages)) {
      expect(loss !== undefined).toBe(role === "assistant" || role === "tool_call");
    }
  });
});

describe("steps for a process reward model", () => {
  it("show a step's result only with the step after it", () => {
    const { prompt, completions } = stepTexts(sftMessages(chat), (index) => index === 2 || index === 5);
    expect(prompt).toBe("[system]\nrules\n\n[user]\ntask");
    expect(completions).toEqual([
      '[assistant]\n<think>\nhm\n</think>\n\nI look.\nbash({"command":"ls"})\nbash({"command":"pwd"})',
      "[tool bash]\na\n\n[tool bash]\n/\n\n[assistant]\ndone",
    ]);
    expect(stepTexts(sftMessages(chat), (index) => index === 5).completions).toHaveLength(1);
  });
});

const sftMessage = (role: string, content: string): SftMessage => ({
  message: { role, content },
  agentStep: role === "assistant" ? 0 : null,
  trainable: role === "assistant",
});
const say = (...texts: readonly string[]): readonly SftMessage[] =>
  texts.map((text) => sftMessage(text.startsWith("a") ? "assistant" : "user", text));

describe("pairParts", () => {
  it("parts at the first message that differs", () => {
    const of = { chosen: say("u", "a1", "r", "a2"), rejected: say("u", "a1", "r", "a3", "r2") };
    expect(pairParts(of, "trajectory")).toEqual({
      kind: "parts",
      prompt: say("u", "a1", "r"),
      chosen: say("a2"),
      rejected: say("a3", "r2"),
    });
    expect(pairParts(of, "step")).toMatchObject({ chosen: say("a2"), rejected: say("a3") });
  });

  it("gives the action back to both sides where they part at its result", () => {
    const of = { chosen: say("u", "a1", "r"), rejected: say("u", "a1", "q") };
    expect(pairParts(of, "trajectory")).toMatchObject({ prompt: say("u"), chosen: say("a1", "r") });
    expect(pairParts(of, "step")).toEqual({
      kind: "refused",
      reason: "they part at a result, not at an action",
    });
  });

  it("refuses what has no prompt in common", () => {
    const of = { chosen: say("u", "a"), rejected: say("v", "a") };
    expect(pairParts(of, "trajectory")).toMatchObject({ reason: "their conversations start differently" });
    expect(pairParts({ chosen: say("a1"), rejected: say("a2") }, "trajectory")).toMatchObject({
      reason: "nothing comes before the agent's first message",
    });
  });

  it("puts both conversations together again, and sides begin with the agent", () => {
    const texts = fc.array(fc.constantFrom("u", "v", "a", "b", "a2"), { maxLength: 8 });
    fc.assert(
      fc.property(texts, texts, texts, (shared, one, other) => {
        const [chosen, rejected] = [say(...shared, ...one), say(...shared, ...other)];
        const parts = pairParts({ chosen, rejected }, "trajectory");
        if (parts.kind === "refused") return;
        expect([...parts.prompt, ...parts.chosen]).toEqual(chosen);
        expect([...parts.prompt, ...parts.rejected]).toEqual(rejected);
        for (const side of [parts.chosen, parts.rejected]) expect(side[0]?.message.role).toBe("assistant");
      }),
    );
  });
});
