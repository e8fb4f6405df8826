import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Draft } from "../../../shared/trajectory/draft.ts";
import { ConversionError } from "../../../shared/trajectory/format.ts";
import { miniSweAgent } from "../../../shared/trajectory/formats/mini-swe-agent.ts";
import { ATIF_VERSION, atifSchema } from "../../../shared/trajectory/schema.ts";
import { misfits, places, replaced } from "./json-mutations.ts";

function convert(value: unknown, stem = "run"): Draft {
  const detection = miniSweAgent.detect(value);
  const [draft] = miniSweAgent.convert({
    value,
    variant: detection.match ? detection.variant : "forced",
    stem,
  });
  if (draft === undefined) throw new Error("no trajectory");
  atifSchema.parse({ schema_version: ATIF_VERSION, ...draft.document });
  return draft;
}

const agentOf = (draft: Draft) => draft.document.steps.filter((step) => step.source === "agent");
const variantOf = (value: unknown) => {
  const detection = miniSweAgent.detect(value);
  return detection.match ? detection.variant : undefined;
};
const block = (command: string, tag = "bash") => `THOUGHT: go\n\n\`\`\`${tag}\n${command}\n\`\`\``;

const prompt = [
  { role: "system", content: "one block only" },
  {
    role: "user",
    content: "<pr_description>\nConsider the following PR description:\nSlow clock\n</pr_description>\nGo.",
  },
];
const textMessages = [
  ...prompt,
  { role: "assistant", content: block("ls nothing") },
  { role: "user", content: "<returncode>2</returncode>\n<output>\nno such file\n</output>" },
  { role: "assistant", content: `${block("a")}\n${block("b")}` },
  { role: "user", content: "Give exactly one action, found 2." },
  { role: "assistant", content: block("echo done", "mswea_bash_command") },
];

function nativeRun() {
  return {
    trajectory_format: "mini-swe-agent-1.1",
    instance_id: "clock__clock-7",
    info: {
      mini_version: "2.2.7",
      exit_status: "Submitted",
      submission: "diff --git a/c b/c\n",
      model_stats: { instance_cost: 0.5, api_calls: 2 },
      config: {
        agent: { system_template: "long text", step_limit: 9 },
        model: {
          model_name: "some/model",
          format_error_template: "long text",
          model_kwargs: { temperature: 0 },
        },
        model_type: "M",
      },
    },
    messages: [
      ...prompt,
      {
        role: "assistant",
        content: "two at once",
        reasoning_content: "Think.",
        tool_calls: [
          { id: "c1", type: "function", function: { name: "bash", arguments: '{"command":"ls"}' } },
          { id: "c2", type: "function", function: { name: "bash", arguments: '{"command":"rm x"}' } },
        ],
        function_call: null,
        extra: {
          actions: [{ command: "ls", tool_call_id: "c1" }],
          cost: 0.25,
          timestamp: 1_775_802_351.5,
          response: {
            model: "some-model-v2",
            usage: { prompt_tokens: 10, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 6 } },
            choices: [{ token_ids: [1, 2], logprobs: { content: [{ logprob: -0.5 }, { logprob: -1 }] } }],
          },
        },
      },
      {
        role: "tool",
        tool_call_id: "c2",
        content: "<returncode>-1</returncode>\n<output>\n</output>",
        extra: { returncode: -1, raw_output: "raw", exception_info: "timed out", timestamp: 1_775_802_352 },
      },
      { role: "tool", tool_call_id: "c1", content: "<returncode>0</returncode>", extra: { returncode: 0 } },
      { role: "user", content: "stop that", extra: { interrupt_type: "UserInterruption" } },
      {
        role: "exit",
        content: "diff --git a/c b/c\n",
        extra: { exit_status: "Submitted", submission: "diff --git a/c b/c\n" },
      },
    ],
  };
}

describe("a mini-swe-agent run in text mode", () => {
  it("adds the one marked command as a call from the text and pairs it with the user's answer", () => {
    const draft = convert(textMessages);
    const [first] = agentOf(draft);
    expect(draft.variant).toBe("list");
    expect(first?.message).toBe(block("ls nothing"));
    expect(first?.tool_calls).toEqual([
      {
        tool_call_id: "call_3_1",
        function_name: "bash",
        arguments: { command: "ls nothing" },
        extra: { gymline: { from: "text" } },
      },
    ]);
    expect(first?.observation?.results).toEqual([
      {
        source_call_id: "call_3_1",
        content: "<returncode>2</returncode>\n<output>\nno such file\n</output>",
        extra: { gymline: { exit_code: 2, role: "user" } },
      },
    ]);
    expect(draft.task.description).toBe("Slow clock");
  });

  it("takes the answer to a format error for a message, since no command was run", () => {
    const draft = convert(textMessages);
    expect(agentOf(draft).map((step) => step.tool_calls?.length ?? 0)).toEqual([1, 0, 1]);
    expect(draft.document.steps.map((step) => step.source)).toEqual([
      "system",
      "user",
      "agent",
      "agent",
      "user",
      "agent",
    ]);
  });

  it("reads rows of data sets: verified is a verdict, its absence is none", () => {
    const row = {
      messages: textMessages,
      instance_id: "i",
      model: "m",
      patch: "--- a/x\n",
      verified: true,
      id: 3,
    };
    const draft = convert(row, "clock__clock-1");
    expect(draft.variant).toBe("row");
    expect(draft.outcome).toEqual({
      success: true,
      label_source: "verified",
      metadata: { patch: "--- a/x\n" },
    });
    expect(draft.task.id).toBe("i");
    expect(draft.document.agent.model_name).toBe("m");
    const other = convert({ ...row, verified: false });
    expect(other.outcome.success).toBeNull();
    expect(other.metadata).toEqual({ verified: false, id: 3 });
    expect(convert({ ...row, resolved: false }).outcome).toMatchObject({
      success: false,
      label_source: "resolved",
    });
  });
});

describe("a mini-swe-agent run with tool calls", () => {
  it("pairs results by id whatever their order, with exit codes and exceptions", () => {
    const [step] = agentOf(convert(nativeRun()));
    expect(step?.tool_calls?.map((call) => [call.tool_call_id, call.arguments])).toEqual([
      ["c1", { command: "ls" }],
      ["c2", { command: "rm x" }],
    ]);
    expect(
      step?.observation?.results.map((result) => [result.source_call_id, result.extra?.gymline]),
    ).toEqual([
      ["c2", { exit_code: -1, error: "timed out", is_error: true, timestamp: "2026-04-10T06:25:52.000Z" }],
      ["c1", { exit_code: 0 }],
    ]);
  });

  it("carries usage, cost, token ids, reasoning, model and time", () => {
    const draft = convert(nativeRun());
    const [step] = agentOf(draft);
    expect(step?.metrics).toMatchObject({
      prompt_tokens: 10,
      completion_tokens: 4,
      cached_tokens: 6,
      cost_usd: 0.25,
      completion_token_ids: [1, 2],
      logprobs: [-0.5, -1],
    });
    expect(step?.reasoning_content).toBe("Think.");
    expect(step?.model_name).toBe("some-model-v2");
    expect(step?.timestamp).toBe("2026-04-10T06:25:51.500Z");
    expect(draft.fidelity.tokens).toBe("token_exact");
  });

  it("reads the outcome without taking a submission for success, and leaves the exit message out", () => {
    const draft = convert(nativeRun());
    expect(draft.outcome).toEqual({
      success: null,
      exit_status: "Submitted",
      metadata: { patch: "diff --git a/c b/c\n" },
    });
    expect(draft.document.steps.at(-1)).toMatchObject({ source: "user", message: "stop that" });
    expect(draft.task.id).toBe("clock__clock-7");
    expect(draft.metadata).toEqual({
      config: { model_type: "M", model: { model_kwargs: { temperature: 0 } }, agent: { step_limit: 9 } },
    });
  });

  it("keeps the word of an exit that is no submission", () => {
    const run = nativeRun();
    const exit = {
      role: "exit",
      content: "the box is gone",
      extra: { exit_status: "RuntimeError", submission: "" },
    };
    const draft = convert({
      ...run,
      info: { mini_version: "2.0.0" },
      messages: [...run.messages.slice(0, -1), exit],
    });
    expect(draft.outcome).toEqual({
      success: null,
      exit_status: "RuntimeError",
      metadata: { exit_message: "the box is gone" },
    });
  });

  it("reads answers of the responses interface", () => {
    const draft = convert({
      trajectory_format: "mini-swe-agent-1.1",
      info: { mini_version: "2.3.0" },
      messages: [
        ...prompt,
        {
          object: "response",
          model: "r1",
          id: "resp_1",
          tools: [],
          usage: { input_tokens: 7, output_tokens: 2 },
          output: [
            {
              type: "reasoning",
              summary: [{ type: "summary_text", text: "Hm." }],
              encrypted_content: "ZW5j",
            },
            { type: "message", role: "assistant", content: [{ type: "output_text", text: "I look." }] },
            { type: "function_call", call_id: "f1", name: "bash", arguments: '{"command":"ls"}' },
          ],
          extra: { actions: [{ command: "ls" }], cost: 0.1 },
        },
        {
          type: "function_call_output",
          call_id: "f1",
          output: "<returncode>0</returncode>",
          extra: { returncode: 0 },
        },
      ],
    });
    const [step] = agentOf(draft);
    expect(draft.variant).toBe("2.x responses");
    expect([step?.message, step?.reasoning_content, step?.metrics?.prompt_tokens]).toEqual([
      "I look.",
      "Hm.",
      7,
    ]);
    expect(step?.extra?.gymline?.signatures?.map(({ value }) => value)).toEqual(["ZW5j"]);
    expect(step?.tool_calls?.[0]?.tool_call_id).toBe("f1");
    expect(step?.observation?.results[0]).toMatchObject({
      source_call_id: "f1",
      extra: { gymline: { exit_code: 0 } },
    });
  });
});

describe("recognition of mini-swe-agent logs", () => {
  it("goes by the tag, the version or the observation template", () => {
    expect(variantOf(nativeRun())).toBe("2.x tool calls");
    expect(variantOf({ info: { mini_version: "1.9.0" }, messages: textMessages })).toBe("1.x text");
    expect(variantOf({ info: { mini_version: "2.0.1" }, messages: textMessages })).toBe("2.x text");
    expect(variantOf({ messages: JSON.stringify(textMessages) })).toBe("row");
  });

  it("leaves other chats alone", () => {
    const chat = [
      { role: "user", content: "<returncode>0</returncode> what is this?" },
      { role: "assistant", content: block("ls") },
    ];
    expect(variantOf(chat)).toBeUndefined();
    expect(variantOf({ messages: chat })).toBeUndefined();
    expect(variantOf({ messages: textMessages, history: [] })).toBeUndefined();
  });
});

describe("malformed mini-swe-agent logs", () => {
  const seeds: readonly unknown[] = [nativeRun(), textMessages, { messages: textMessages, verified: true }];

  it("end in a valid document or a ConversionError, whatever stands in a field", () => {
    const cases = seeds.flatMap((seed) => places(seed).map((path) => ({ seed, path })));
    fc.assert(
      fc.property(fc.constantFrom(...cases), misfits, ({ seed, path }, by) => {
        try {
          convert(replaced(seed, path, by));
        } catch (error) {
          expect(error).toBeInstanceOf(ConversionError);
        }
      }),
      { numRuns: 1500 },
    );
  });

  it("are no match where they are any JSON value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(miniSweAgent.detect(value)).toMatchObject({ match: false });
      }),
    );
  });
});
