import { describe, expect, it } from "vitest";
import { toolChatOf } from "../../../shared/adapters/models/model-of.ts";
import { ModelSettingsError } from "../../../shared/adapters/models/model-settings-error.ts";
import type { ToolChat, ToolChatRequest } from "../../../shared/ports/tool-chat.ts";
import type { Script } from "../../factories/model-server/asked.ts";
import { type ModelServer, modelServer } from "../../factories/model-server/model-server.ts";
import { answer, calling, status } from "../../factories/model-server/replies.ts";

const TOOLS = [
  {
    name: "shell",
    description: "Runs a command.",
    parameters: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: { command: { type: "string" } },
      required: ["command"],
    },
  },
];
const FIRST: ToolChatRequest = {
  system: "Be careful.",
  messages: [{ role: "user", text: "List the files" }],
  tools: TOOLS,
  maxTokens: 500,
};

const PROVIDERS = ["anthropic", "openai-compatible"] as const;
type Provider = (typeof PROVIDERS)[number];

async function chatAt(
  provider: Provider,
  script: Script,
  more: { readonly tokenIds?: boolean; readonly thinking?: "adaptive"; readonly maxTries?: number } = {},
): Promise<{ readonly server: ModelServer; readonly chat: ToolChat }> {
  const server = await modelServer(script);
  const choice = { model: "m", baseUrl: server.url, baseDelayMs: 1, ...more };
  const chat = await toolChatOf({ ...choice, provider }, { ANTHROPIC_API_KEY: "k" });
  return { server, chat };
}

/** The next request, with a result for each call. */
async function goOn(chat: ToolChat, request: ToolChatRequest, texts: readonly string[] = []) {
  const said = await chat.complete(request);
  const results = said.calls.map(({ id }, index) => ({
    callId: id,
    text: texts[index] ?? `result ${index}`,
    isError: index > 0,
  }));
  const next: ToolChatRequest = {
    ...request,
    messages: [
      ...request.messages,
      { role: "assistant", answer: said },
      ...(results.length > 0 ? [{ role: "results" as const, results }] : []),
    ],
  };
  return { said, next };
}

describe.each(PROVIDERS)("a model that calls tools at %s", (provider) => {
  it("is offered the tools, and its parallel calls come back in order", async () => {
    const { server, chat } = await chatAt(provider, ({ results }) =>
      results.length === 0
        ? answer("I look.", {
            calls: [
              { name: "shell", input: { command: "ls" } },
              { name: "shell", input: { command: "pwd" } },
            ],
          })
        : answer(`${results.map(({ text }) => text).join(", ")}: done`),
    );
    const { said, next } = await goOn(chat, FIRST);
    expect(said).toMatchObject({ text: "I look.", stop: "calls", model: "m" });
    expect(said.calls.map(({ tool, params }) => [tool, params])).toEqual([
      ["shell", { command: "ls" }],
      ["shell", { command: "pwd" }],
    ]);
    expect(new Set(said.calls.map(({ id }) => id)).size).toBe(2);
    const second = await chat.complete(next);
    expect(second).toMatchObject({ text: "result 0, result 1: done", stop: "end", calls: [] });
    expect(server.asked[0]).toMatchObject({ tools: ["shell"], system: "Be careful." });
    expect(JSON.stringify(server.calls[0]?.body)).not.toContain("$schema");
  });

  it("gets its thinking back unchanged, and shows it", async () => {
    const { server, chat } = await chatAt(provider, ({ results }) =>
      results.length === 0
        ? answer("", { thinking: "Let me see.", calls: [{ name: "shell", input: { command: "ls" } }] })
        : answer("done"),
    );
    const { said, next } = await goOn(chat, FIRST);
    expect(said.reasoning).toBe("Let me see.");
    await chat.complete(next);
    const sent = JSON.stringify(server.calls[1]?.body);
    expect(sent).toContain(
      provider === "anthropic" ? '"thinking":"Let me see."' : '"reasoning_content":"Let me see."',
    );
  });

  it("goes on after a turn without a word or a call", async () => {
    const { chat } = await chatAt(provider, ({ nth }) => answer(nth === 0 ? "" : "here"));
    const { said, next } = await goOn(chat, FIRST);
    expect(said).toMatchObject({ text: "", calls: [] });
    const asked = { ...next, messages: [...next.messages, { role: "user" as const, text: "Go on" }] };
    expect((await chat.complete(asked)).text).toBe("here");
  });

  it("takes an empty result, and a message of a user behind results", async () => {
    const { chat } = await chatAt(provider, ({ nth }) =>
      nth === 0 ? calling({ name: "shell", input: { command: "true" } }) : answer("ok"),
    );
    const { next } = await goOn(chat, FIRST, [""]);
    const asked = { ...next, messages: [...next.messages, { role: "user" as const, text: "Hurry" }] };
    expect((await chat.complete(asked)).text).toBe("ok");
  });

  it("says when the prompt is too long for the model, and does not ask again", async () => {
    const words = "prompt is too long: 210000 tokens > 200000 maximum";
    const { server, chat } = await chatAt(provider, () => status(400, { message: words }));
    await expect(chat.complete(FIRST)).rejects.toMatchObject({
      name: "ChatModelError",
      permanent: true,
      overflow: true,
      message: expect.stringContaining("longer than the model takes"),
    });
    expect(server.calls).toHaveLength(1);
  });

  it("tries again after what passes, and gives up on what does not", async () => {
    const { server, chat } = await chatAt(provider, ({ repeats }) =>
      repeats < 2 ? status(529) : answer("yes"),
    );
    expect((await chat.complete(FIRST)).text).toBe("yes");
    server.use(() => status(401));
    await expect(chat.complete(FIRST)).rejects.toMatchObject({
      permanent: true,
      overflow: false,
      status: 401,
    });
    expect(server.calls).toHaveLength(4);
  });

  it("declines where the provider does", async () => {
    const { chat } = await chatAt(provider, () => answer("No.", { stop: "refusal" }));
    expect(await chat.complete(FIRST)).toMatchObject({ stop: "refusal", text: "No." });
  });

  it("marks a call that was cut off as one that cannot be carried out", async () => {
    const { chat } = await chatAt(provider, () =>
      answer("", { stop: "length", calls: [{ name: "shell", input: { command: "rm -rf /tmp" } }] }),
    );
    const said = await chat.complete(FIRST);
    expect(said).toMatchObject({
      stop: "length",
      calls: [{ params: {}, rawArguments: '{"command":"rm -rf /tmp"}' }],
    });
  });

  it("refuses tools that no provider takes, before it calls", async () => {
    const { server, chat } = await chatAt(provider, () => answer("x"));
    const [tool] = TOOLS;
    const named = (...names: readonly string[]) => ({
      ...FIRST,
      tools: names.map((name) => ({ description: "", parameters: {}, ...tool, name })),
    });
    await expect(chat.complete(named("file.read"))).rejects.toThrow(/"file\.read" cannot be offered/);
    await expect(chat.complete(named("a", "a"))).rejects.toThrow(/"a" stands twice/);
    expect(server.calls).toEqual([]);
  });
});

describe("Anthropic's cache", () => {
  it("reads in each turn what the turn before wrote", async () => {
    const { chat } = await chatAt("anthropic", ({ nth }) =>
      nth < 3 ? calling({ name: "shell", input: { command: `step ${nth}` } }) : answer("done"),
    );
    let request = FIRST;
    const usages = [];
    for (let turn = 0; turn < 4; turn += 1) {
      const { said, next } = await goOn(chat, request, ["x".repeat(400)]);
      usages.push(said.usage);
      request = next;
    }
    for (const [index, usage] of usages.entries()) {
      const before = usages[index - 1];
      if (before === undefined) continue;
      expect(usage.cacheRead).toBe(before.cacheRead + before.cacheWrite);
      expect(usage.input).toBe(0);
    }
  });
});

describe("OpenAI's format with tools", () => {
  it("keeps arguments that are no JSON object as they are, and can go on after them", async () => {
    const { server, chat } = await chatAt("openai-compatible", ({ nth }) =>
      nth === 0
        ? calling(
            { name: "shell", arguments: '{"command": "ls' },
            { name: "shell", arguments: "[1]" },
            { name: "shell", arguments: "" },
            { name: "shell", arguments: '{"command": "pwd"}' },
          )
        : answer("sorry"),
    );
    const { said, next } = await goOn(chat, FIRST);
    expect(said.calls.map(({ params, rawArguments }) => [params, rawArguments])).toEqual([
      [{}, '{"command": "ls'],
      [{}, "[1]"],
      [{}, undefined],
      [{ command: "pwd" }, undefined],
    ]);
    expect((await chat.complete(next)).text).toBe("sorry");
    const sent = JSON.stringify(server.calls[1]?.body);
    expect(sent).toContain(JSON.stringify(JSON.stringify({ raw_arguments: '{"command": "ls' })));
    expect(sent).toContain(JSON.stringify('{"command": "pwd"}'));
  });

  it("gives each call an id of its own where the server does not", async () => {
    const { chat } = await chatAt("openai-compatible", ({ nth }) =>
      nth < 2
        ? calling(
            { name: "shell", input: { command: "ls" }, id: "same" },
            { name: "shell", input: { command: "pwd" }, id: "same" },
            { name: "shell", input: { command: "id" }, id: "" },
          )
        : answer("done"),
    );
    const { said, next } = await goOn(chat, FIRST);
    expect(new Set(said.calls.map(({ id }) => id)).size).toBe(3);
    const second = await goOn(chat, next);
    expect((await chat.complete(second.next)).text).toBe("done");
  });

  it("asks vLLM for exact tokens, and gives log-probs only where there is one for each", async () => {
    const tokens = { prompt: [1, 2, 3], completion: [7, 8], logprobs: [-0.1, -2] };
    const { server, chat } = await chatAt("openai-compatible", () => answer("x", { tokens }), {
      tokenIds: true,
    });
    expect((await chat.complete({ ...FIRST, seed: 5, temperature: 1 })).tokens).toEqual({
      promptIds: [1, 2, 3],
      completionIds: [7, 8],
      logprobs: [-0.1, -2],
    });
    expect(server.calls[0]?.body).toMatchObject({
      return_token_ids: true,
      logprobs: true,
      seed: 5,
      temperature: 1,
      max_tokens: 500,
    });
    server.use(() => answer("x", { tokens: { ...tokens, logprobs: [-1] } }));
    expect((await chat.complete(FIRST)).tokens).toEqual({ promptIds: [1, 2, 3], completionIds: [7, 8] });
    const { chat: plain } = await chatAt("openai-compatible", () => answer("x", { tokens }));
    expect((await plain.complete(FIRST)).tokens).toBeUndefined();
  });
});

it("names the key that is missing for a model that calls tools", async () => {
  const made = toolChatOf({ provider: "anthropic", model: "m" }, {});
  await expect(made).rejects.toThrow(ModelSettingsError);
  await expect(made).rejects.toThrow("ANTHROPIC_API_KEY");
});
