import { describe, expect, it } from "vitest";
import type { Draft } from "../../../shared/trajectory/draft.ts";
import { ConversionError } from "../../../shared/trajectory/format.ts";
import { openaiMessages } from "../../../shared/trajectory/formats/openai-messages.ts";
import { ATIF_VERSION, atifSchema } from "../../../shared/trajectory/schema.ts";

function convert(value: unknown): Draft {
  const detection = openaiMessages.detect(value);
  expect(detection).toMatchObject({ match: true });
  const variant = detection.match ? detection.variant : "";
  const [draft] = openaiMessages.convert({ value, variant, stem: "log" });
  if (draft === undefined) throw new Error("no draft");
  expect(atifSchema.safeParse({ schema_version: ATIF_VERSION, ...draft.document }).error).toBeUndefined();
  return draft;
}

const ask = { role: "user", content: "What is 2+2?" };
const call = (id: string | undefined, name = "calc", args: unknown = '{"expr":"2+2"}') => ({
  ...(id === undefined ? {} : { id }),
  type: "function",
  function: { name, arguments: args },
});

describe("chat rows", () => {
  it("keep messages, tool definitions, calls by id and the results that answer them", () => {
    const tools = [{ type: "function", function: { name: "calc", parameters: { type: "object" } } }];
    const draft = convert({
      messages: [
        { role: "developer", content: "Be brief." },
        ask,
        { role: "assistant", content: null, tool_calls: [call("c1"), call("c2", "calc", { expr: "4" })] },
        { role: "tool", tool_call_id: "c2", content: "4" },
        { role: "tool", tool_call_id: "c1", content: "4", name: "calc" },
        { role: "assistant", content: "4" },
      ],
      tools,
    });
    const [system, , turn, answer] = draft.document.steps;
    expect(system).toMatchObject({ source: "system", extra: { gymline: { role: "developer" } } });
    expect(turn?.tool_calls).toEqual([
      { tool_call_id: "c1", function_name: "calc", arguments: { expr: "2+2" } },
      { tool_call_id: "c2", function_name: "calc", arguments: { expr: "4" } },
    ]);
    expect(turn?.observation?.results.map(({ source_call_id }) => source_call_id)).toEqual(["c2", "c1"]);
    expect(answer?.message).toBe("4");
    expect(draft.document.agent.tool_definitions).toEqual(tools);
    expect(draft.task.description).toBe("What is 2+2?");
  });

  it("pair results without ids by the function's name and then by order", () => {
    const draft = convert({
      messages: [
        ask,
        {
          role: "assistant",
          content: "",
          tool_calls: [call(undefined, "a"), call(undefined, "b"), call(undefined, "a")],
        },
        { role: "tool", name: "b", content: "from b" },
        { role: "tool", name: "a", content: "first a" },
        { role: "tool", content: "second a" },
      ],
    });
    const turn = draft.document.steps[1];
    const ids = turn?.tool_calls?.map(({ tool_call_id }) => tool_call_id) ?? [];
    const results = turn?.observation?.results.map(({ source_call_id, content }) => [
      source_call_id,
      content,
    ]);
    expect(results).toEqual([
      [ids[1], "from b"],
      [ids[0], "first a"],
      [ids[2], "second a"],
    ]);
  });

  it("pair late, repeated and orphaned results by id", () => {
    const draft = convert({
      messages: [
        ask,
        { role: "assistant", content: "a", tool_calls: [call("one")] },
        { role: "assistant", content: "b", tool_calls: [call("two")] },
        { role: "tool", tool_call_id: "one", content: "late" },
        { role: "tool", tool_call_id: "two", content: "2" },
        { role: "tool", tool_call_id: "two", content: "again" },
        { role: "tool", tool_call_id: "lost", content: "whose?" },
      ],
    });
    const [, first, second] = draft.document.steps;
    expect(first?.observation?.results).toEqual([{ source_call_id: "one", content: "late" }]);
    expect(second?.observation?.results.map(({ content }) => content)).toEqual(["2", "again", "whose?"]);
    expect(second?.observation?.results[2]?.extra?.gymline?.orphan_call_id).toBe("lost");
  });

  it("keep the legacy function_call and its result together", () => {
    const draft = convert({
      messages: [
        ask,
        { role: "assistant", content: "", function_call: { name: "calc", arguments: "{}" } },
        { role: "function", name: "calc", content: "4" },
      ],
      functions: [{ name: "calc" }],
    });
    const [, turn] = draft.document.steps;
    expect(turn?.tool_calls?.[0]?.extra?.gymline?.native).toEqual({ legacy: "function_call" });
    expect(turn?.observation?.results[0]).toMatchObject({
      source_call_id: turn?.tool_calls?.[0]?.tool_call_id,
      extra: { gymline: { role: "function", name: "calc" } },
    });
    expect(draft.document.agent.tool_definitions).toEqual([{ name: "calc" }]);
  });

  it("read messages and tools that are given as JSON text", () => {
    const draft = convert({
      messages: JSON.stringify([ask, { role: "assistant", content: "4" }]),
      tools: '[{"name":"t"}]',
    });
    expect(draft.document.steps.map(({ source }) => source)).toEqual(["user", "agent"]);
    expect(draft.document.agent.tool_definitions).toEqual([{ name: "t" }]);
  });

  it("read ShareGPT conversations with calls written as text", () => {
    const draft = convert({
      conversations: [
        { from: "human", value: "2+2?" },
        { from: "function_call", value: '{"name":"calc","arguments":{"expr":"2+2"}}' },
        { from: "observation", value: "4" },
        { from: "gpt", value: "Four." },
      ],
    });
    expect(draft.variant).toBe("sharegpt row");
    const [, turn, answer] = draft.document.steps;
    expect(turn?.message).toBe('{"name":"calc","arguments":{"expr":"2+2"}}');
    expect(turn?.tool_calls?.[0]).toMatchObject({
      function_name: "calc",
      extra: { gymline: { from: "text" } },
    });
    expect(turn?.observation?.results[0]).toMatchObject({
      content: "4",
      extra: { gymline: { role: "observation" } },
    });
    expect(answer?.message).toBe("Four.");
  });

  it("take labels, and never a row id for a task", () => {
    const messages = [ask, { role: "assistant", content: "4" }];
    expect(convert({ id: 7, messages, resolved: "True" })).toMatchObject({
      task: { description: "What is 2+2?" },
      outcome: { success: true, label_source: "resolved" },
      metadata: { id: 7 },
    });
    expect(convert({ id: 7, messages }).task.id).toBeUndefined();
    expect(convert({ instance_id: "sum-1", messages }).task.id).toBe("sum-1");
    expect(convert({ messages, metadata: { task_id: "sum-2", reward: 1 } })).toMatchObject({
      task: { id: "sum-2" },
      outcome: { success: true, score: 1, label_source: "metadata.reward" },
    });
    expect(convert({ messages, reward: 0.5 }).outcome).toEqual({ success: null, score: 0.5 });
    expect(convert({ messages, score: 4, rating: "good" }).outcome).toEqual({
      success: null,
      metadata: { score: 4, rating: "good" },
    });
    expect(convert({ messages, exit_status: "submitted" }).outcome.success).toBeNull();
  });

  it("mask what the set says must not be trained on", () => {
    const draft = convert({
      messages: [ask, { role: "assistant", content: "5", weight: 0 }, { role: "assistant", content: "4" }],
    });
    expect(draft.document.steps[1]?.extra?.gymline?.trainable).toBe(false);
    expect(draft.document.steps[2]?.extra).toBeUndefined();
  });

  it("count what has no place as dropped", () => {
    const draft = convert({
      messages: [ask, ask, ask, "no message", { content: "no role" }],
      blob: "x".repeat(5000),
    });
    expect(draft.fidelity.dropped).toEqual([
      { path: "$.messages[*]", reason: "a message without a role", count: 2 },
      { path: "$.blob", reason: expect.any(String), count: 1 },
    ]);
  });
});

describe("provider content", () => {
  it("in Anthropic form becomes reasoning, calls, results and text", () => {
    const draft = convert({
      system: [{ type: "text", text: "Be brief." }],
      messages: [
        ask,
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "Use the tool.", signature: "sig-1" },
            { type: "redacted_thinking", data: "enc-1" },
            { type: "text", text: "Let me see." },
            { type: "tool_use", id: "t1", name: "calc", input: { expr: "2+2" } },
          ],
        },
        {
          role: "user",
          content: [
            {
              type: "tool_result",
              tool_use_id: "t1",
              content: [{ type: "text", text: "boom" }],
              is_error: true,
            },
            { type: "text", text: "Go on." },
          ],
        },
      ],
    });
    const [system, , turn, user] = draft.document.steps;
    expect(system?.message).toBe("Be brief.");
    expect(turn).toMatchObject({ message: "Let me see.", reasoning_content: "Use the tool." });
    expect(turn?.extra?.gymline?.signatures).toEqual([
      { kind: "thinking", value: "sig-1", covers: "reasoning_content" },
      { kind: "redacted_thinking", value: "enc-1", covers: "reasoning_content" },
    ]);
    expect(turn?.observation?.results).toEqual([
      { source_call_id: "t1", content: "boom", extra: { gymline: { is_error: true } } },
    ]);
    expect(user?.message).toBe("Go on.");
  });

  it("with reasoning beside it is not doubled by the thinking blocks that repeat it", () => {
    const draft = convert([
      ask,
      {
        role: "assistant",
        content: "4",
        reasoning_content: "Easy.\nFour.",
        thinking_blocks: [
          { type: "thinking", thinking: "Easy.", signature: "s1" },
          { type: "thinking", thinking: "Four.", signature: "s2" },
        ],
        tool_calls: [{ ...call("g1"), provider_specific_fields: { thought_signature: "g-sig" } }],
      },
    ]);
    const turn = draft.document.steps[1];
    expect(turn?.reasoning_content).toBe("Easy.\nFour.");
    expect(turn?.extra?.gymline?.signatures?.map(({ value }) => value)).toEqual(["s1", "s2", "g-sig"]);
  });

  it("with images keeps them as attachments", () => {
    const url = `data:image/png;base64,${Buffer.from("png").toString("base64")}`;
    const draft = convert([
      {
        role: "user",
        content: [
          { type: "text", text: "see" },
          { type: "image_url", image_url: { url } },
        ],
      },
    ]);
    expect(draft.attachments.size).toBe(1);
    expect(draft.document.steps[0]?.message).toMatchObject([{ type: "text" }, { type: "image" }]);
  });

  it("as Responses API items becomes turns again", () => {
    const draft = convert({
      object: "response",
      instructions: "Be brief.",
      input: "2+2?",
      output: [
        { type: "reasoning", summary: [{ type: "summary_text", text: "Tool." }], encrypted_content: "enc" },
        { type: "function_call", call_id: "f1", name: "calc", arguments: '{"expr":"2+2"}' },
        { type: "function_call", call_id: "f2", name: "calc", arguments: "{}" },
        { type: "function_call_output", call_id: "f1", output: "4" },
        { type: "message", role: "assistant", content: [{ type: "output_text", text: "4" }] },
      ],
      usage: { input_tokens: 10, output_tokens: 3, input_tokens_details: { cached_tokens: 2 } },
    });
    expect(draft.document.steps.map(({ source }) => source)).toEqual(["system", "user", "agent", "agent"]);
    const turn = draft.document.steps[2];
    expect(turn?.tool_calls).toHaveLength(2);
    expect(turn?.reasoning_content).toBe("Tool.");
    expect(turn?.extra?.gymline?.signatures).toEqual([
      { kind: "encrypted_content", value: "enc", covers: "reasoning_content" },
    ]);
    expect(turn?.observation?.results).toEqual([{ source_call_id: "f1", content: "4" }]);
    expect(draft.document.final_metrics).toEqual({
      total_prompt_tokens: 10,
      total_completion_tokens: 3,
      total_cached_tokens: 2,
      extra: { input_tokens_details: { cached_tokens: 2 } },
    });
  });
});

describe("proxy logs", () => {
  const answer = { role: "assistant", content: "Four." };

  it("end with the response, with its usage, cost, token ids and model", () => {
    const draft = convert({
      messages: [ask],
      response: {
        id: "r1",
        model: "m",
        choices: [
          {
            finish_reason: "stop",
            message: answer,
            token_ids: [5, 6],
            logprobs: {
              content: [
                { token: "Four", logprob: -0.5 },
                { token: ".", logprob: -0.25 },
              ],
            },
          },
          { message: { role: "assistant", content: "4" } },
        ],
        usage: { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 4 } },
      },
      cost: 0.01,
      kwargs: { temperature: 0, tools: [{ name: "calc" }] },
    });
    const turn = draft.document.steps[1];
    expect(turn).toMatchObject({ message: "Four.", model_name: "m" });
    expect(turn?.metrics).toMatchObject({
      prompt_tokens: 9,
      completion_tokens: 2,
      cached_tokens: 4,
      cost_usd: 0.01,
      completion_token_ids: [5, 6],
      logprobs: [-0.5, -0.25],
    });
    expect(draft.fidelity).toMatchObject({
      tokens: "token_exact",
      dropped: [{ path: "$.response.choices[*]", count: 1 }],
    });
    expect(draft.metadata?.["request"]).toEqual({ temperature: 0 });
    expect(draft.document.agent).toMatchObject({ model_name: "m", tool_definitions: [{ name: "calc" }] });
  });

  it("of text-mode agents keep the text the model wrote and read the calls from beside it", () => {
    const written = "<function=calc>2+2</function>";
    const parsed = { role: "assistant", content: "", tool_calls: [call("k2")] };
    const draft = convert({
      messages: [ask, { role: "assistant", content: written }, { role: "user", content: "RESULT: 4" }],
      raw_messages: [
        { role: "user", content: "plain task" },
        { role: "assistant", content: "", tool_calls: [call("k1")] },
        { role: "tool", tool_call_id: "k1", name: "calc", content: "4" },
      ],
      response: { choices: [{ message: parsed }] },
      raw_response: { choices: [{ message: { role: "assistant", content: written } }] },
    });
    const [, first, second] = draft.document.steps;
    expect(first).toMatchObject({
      message: written,
      tool_calls: [{ tool_call_id: "k1", extra: { gymline: { from: "text" } } }],
      observation: {
        results: [
          { source_call_id: "k1", content: "RESULT: 4", extra: { gymline: { role: "user", name: "calc" } } },
        ],
      },
    });
    expect(second).toMatchObject({
      message: written,
      tool_calls: [{ tool_call_id: "k2", extra: { gymline: { from: "text" } } }],
    });
    expect(draft.task.description).toBe("plain task");
  });

  it("of Anthropic's own API end with the response too", () => {
    const draft = convert({
      messages: [ask],
      response: {
        type: "message",
        role: "assistant",
        model: "claude",
        content: [{ type: "text", text: "Four." }],
        stop_reason: "end_turn",
        usage: {
          input_tokens: 5,
          cache_read_input_tokens: 3,
          cache_creation_input_tokens: 2,
          output_tokens: 1,
        },
      },
    });
    expect(draft.document.steps[1]).toMatchObject({
      message: "Four.",
      model_name: "claude",
      metrics: { prompt_tokens: 10, completion_tokens: 1, cached_tokens: 3 },
    });
  });
});

describe("detection", () => {
  it("takes messages as parts, but no rows, and no events of other logs", () => {
    const isPart = (value: unknown): boolean | undefined => openaiMessages.isPart?.(value);
    expect(isPart(ask)).toBe(true);
    expect(isPart({ from: "gpt", value: "hi" })).toBe(true);
    expect(isPart({ type: "function_call", call_id: "a", name: "n", arguments: "{}" })).toBe(true);
    expect(isPart({ messages: [ask] })).toBe(false);
    expect(isPart({ ...ask, messages: [] })).toBe(false);
    expect(isPart({ event: "message", ...ask })).toBe(false);
    expect(isPart({ role: "user", message: { content: "x" } })).toBe(false);
    expect(isPart({ role: "admin", content: "x" })).toBe(false);
    expect(isPart(null)).toBe(false);
  });

  it("names what is missing, without content", () => {
    const found = openaiMessages.detect({ messages: [{ type: "user", content: "secret" }] });
    expect(found).toEqual({
      match: false,
      near: 0.5,
      missing: ["$.messages[*].role with content or tool_calls"],
    });
    expect(openaiMessages.detect(5)).toMatchObject({ match: false, near: 0 });
    expect(openaiMessages.detect([])).toMatchObject({ match: false });
  });

  it("rejects a forced record without messages", () => {
    const input = { value: { text: "x" }, variant: "forced", stem: "" };
    expect(() => openaiMessages.convert(input)).toThrow(ConversionError);
  });
});
