import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import {
  type OnnxToolChat,
  type OnnxToolChatOptions,
  onnxToolChat,
} from "../../../shared/adapters/onnx/onnx-tool-chat.ts";
import { type Agent, AgentError, type AgentTurn } from "../../../shared/agents/agent.ts";
import { chatAgent } from "../../../shared/agents/chat-agent.ts";
import { ModelFolderError } from "../../../shared/inference/model-config.ts";
import { ChatModelError } from "../../../shared/ports/chat-model.ts";
import type { ToolChatRequest } from "../../../shared/ports/tool-chat.ts";
import { temporaryFolder } from "../../factories/temporary.ts";
import { expectedOf, tinyModel } from "../../inference/expected.ts";

const QWEN = tinyModel("tiny-qwen2");
const LLAMA = tinyModel("tiny-llama");
const TOOL = {
  name: "query_stats",
  description: "query_stats something",
  parameters: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
};
const ASK: ToolChatRequest = {
  system: "You are an agent.",
  messages: [{ role: "user", text: "When do you open?" }],
  tools: [TOOL],
  maxTokens: 60,
};

async function chatOf(options: Partial<OnnxToolChatOptions> = {}): Promise<OnnxToolChat> {
  const chat = await onnxToolChat({ folder: QWEN, threads: 1, ...options });
  onTestFinished(() => chat.close());
  return chat;
}

/** The tiny model's folder, changed. */
function changed(change: (folder: string) => void, from = QWEN): string {
  const folder = temporaryFolder("model");
  cpSync(from, folder, { recursive: true });
  change(folder);
  return folder;
}

function edited(file: string, edit: (value: Record<string, unknown>) => void): (folder: string) => void {
  return (folder) => {
    const value = JSON.parse(readFileSync(join(folder, file), "utf8"));
    edit(value);
    writeFileSync(join(folder, file), JSON.stringify(value));
  };
}

/** Asks, answers the call, asks again. */
async function twoTurns(agent: Agent, seed = 1): Promise<readonly AgentTurn[]> {
  const episode = agent.begin({ tools: [TOOL], seed });
  const first = await episode.act([{ kind: "user", text: "When do you open?" }]);
  const second = await episode.act(
    first.calls.length === 0
      ? [{ kind: "user", text: "And then?" }]
      : first.calls.map(({ id, tool }) => ({
          kind: "result",
          callId: id,
          tool,
          text: "from 9",
          isError: false,
        })),
  );
  return [first, second];
}

describe("an agent on a model that was exported to ONNX", () => {
  it("calls what the model calls, and carries the conversation on token by token", async () => {
    const [first, second] = await twoTurns(
      chatAgent(await chatOf(), { system: "You are an agent.", answerTokens: 60 }),
    );
    expect(first).toMatchObject({
      message: "",
      calls: [{ tool: "query_stats", params: { query: "opening hours" } }],
      stop: "calls",
    });
    expect(second).toMatchObject({ message: "We open at nine.", calls: [], stop: "end" });
    const seen = [...(first?.tokens?.promptIds ?? []), ...(first?.tokens?.completionIds ?? [])];
    expect(second?.tokens?.promptIds.slice(0, seen.length)).toEqual(seen);
    // All but the last token of the answer was read when it was written.
    expect(second?.usage?.cacheRead).toBe(seen.length - 1);
    expect(second?.usage).toMatchObject({ cacheWrite: 0, output: second?.tokens?.completionIds.length });
    for (const turn of [first, second]) {
      expect(turn?.tokens?.logprobs).toHaveLength(turn?.tokens?.completionIds.length ?? -1);
      expect(turn?.tokens?.logprobs?.every((each) => each <= 0)).toBe(true);
    }
  });

  it("asks what training asks: prompts are Transformers' rendering of the same conversation", async () => {
    const chat = await chatOf();
    const [expected] = expectedOf(QWEN);
    const names = ["query_stats", "respond", "think", "web_search"];
    const tools = names.map((name) => ({ ...TOOL, name, description: `${name} something` }));
    const [, question] = z.array(z.object({ content: z.string() })).parse(expected?.messages);
    const messages = [{ role: "user" as const, text: question?.content ?? "" }];
    const { tokens } = await chat.complete({ ...ASK, messages, tools });
    expect(tokens?.promptIds).toEqual(expected?.prompt_ids);
    expect(tokens?.completionIds.slice(0, expected?.completion_ids.length)).toEqual(expected?.completion_ids);
  });

  it("samples the same from the same seed, something else from another, and from another turn", async () => {
    const agent = chatAgent(await chatOf({ folder: LLAMA }), { temperature: 1.2, answerTokens: 12 });
    const written = async (seed: number) =>
      (await twoTurns(agent, seed)).map(({ tokens }) => tokens?.completionIds);
    const [one, again, other] = [await written(1), await written(1), await written(2)];
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
    expect(one[1]).not.toEqual(one[0]);
  });

  it("writes the same whatever else is asked at the same time", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ text: fc.string({ maxLength: 40 }), maxTokens: fc.integer({ min: 1, max: 12 }) }),
          {
            minLength: 1,
            maxLength: 6,
          },
        ),
        fc.integer({ min: 1, max: 4 }),
        async (questions, batch) => {
          const requests = questions.map(
            ({ text, maxTokens }, index): ToolChatRequest => ({
              ...ASK,
              messages: [{ role: "user", text }],
              maxTokens,
              temperature: index % 2,
              seed: index,
            }),
          );
          const together = await onnxToolChat({ folder: LLAMA, threads: 1, batch, cacheBytes: 0 });
          const alone = await onnxToolChat({ folder: LLAMA, threads: 1, batch: 1, cacheBytes: 0 });
          const all = await Promise.all(requests.map((request) => together.complete(request)));
          for (const [index, request] of requests.entries()) {
            const { tokens } = await alone.complete(request);
            expect(all[index]?.tokens?.completionIds).toEqual(tokens?.completionIds);
          }
          await Promise.all([together.close(), alone.close()]);
        },
      ),
      { numRuns: 12 },
    );
  });

  it("says where an answer was cut off, and does not carry out the call it was cut in", async () => {
    const chat = await chatOf();
    expect(await chat.complete({ ...ASK, maxTokens: 12 })).toMatchObject({
      stop: "length",
      calls: [{ params: {}, rawArguments: expect.stringContaining("name") }],
    });
  });

  it("shows the model again what it wrote where that could not be read", async () => {
    const chat = await chatOf();
    const answer = await chat.complete({ ...ASK, maxTokens: 12 });
    const callId = answer.calls[0]?.id ?? "";
    const results = [{ callId, text: "Error: no JSON object", isError: true }];
    const next = await chat.complete({
      ...ASK,
      messages: [...ASK.messages, { role: "assistant", answer }, { role: "results", results }],
    });
    const seen = [...(answer.tokens?.promptIds ?? []), ...(answer.tokens?.completionIds ?? [])];
    expect(next.tokens?.promptIds.slice(0, seen.length)).toEqual(seen);
  });

  it("ends at the end of the context, and says that a longer prompt does not fit", async () => {
    const { tokens } = await (await chatOf()).complete(ASK);
    const length = tokens?.promptIds.length ?? 0;
    expect(await (await chatOf({ contextTokens: length + 3 })).complete(ASK)).toMatchObject({
      stop: "context",
      usage: { output: 3 },
    });
    const full = await chatOf({ contextTokens: length });
    await expect(full.complete(ASK)).rejects.toMatchObject({ overflow: true, permanent: true });
    const episode = chatAgent(full, { system: "You are an agent." }).begin({ tools: [TOOL], seed: 0 });
    const failed = episode.act([{ kind: "user", text: "When do you open?" }]);
    await expect(failed).rejects.toThrow(AgentError);
    await expect(failed).rejects.toMatchObject({ reason: "context" });
  });

  it("stops when it is told to, and the others go on", async () => {
    const chat = await chatOf({ folder: LLAMA });
    const stop = new AbortController();
    const given = chat.complete({ ...ASK, maxTokens: 2000 }, stop.signal);
    const other = chat.complete({ ...ASK, maxTokens: 20 });
    void other.then(() => stop.abort(new Error("enough")));
    await expect(given).rejects.toThrow("enough");
    expect((await other).usage.output).toBe(20);
  });

  it("is found in the folder of a training run, and named by it", async () => {
    const run = temporaryFolder("run");
    mkdirSync(join(run, "sft"));
    cpSync(QWEN, join(run, "sft/onnx"), { recursive: true });
    for (const folder of [join(run, "sft"), join(run, "sft/onnx"), join(run, "sft/onnx/onnx")]) {
      expect((await chatOf({ folder })).model).toBe("sft");
    }
  });

  it("takes a chat template in a file of its own", async () => {
    const folder = changed((to) => {
      const path = join(to, "tokenizer_config.json");
      const { chat_template: template, ...rest } = JSON.parse(readFileSync(path, "utf8"));
      writeFileSync(path, JSON.stringify(rest));
      writeFileSync(join(to, "chat_template.jinja"), template);
    });
    const [own, other] = [
      await (await chatOf()).complete(ASK),
      await (await chatOf({ folder })).complete(ASK),
    ];
    expect(other.tokens).toEqual(own.tokens);
  });

  it("samples as generation_config.json says where nobody says otherwise", async () => {
    const folder = changed(
      edited("generation_config.json", (value) =>
        Object.assign(value, { do_sample: true, temperature: 3, top_k: 40 }),
      ),
      LLAMA,
    );
    const sampled = await chatOf({ folder });
    const asked = { ...ASK, maxTokens: 8 };
    const [one, two, greedy] = await Promise.all([
      sampled.complete({ ...asked, seed: 1 }),
      sampled.complete({ ...asked, seed: 2 }),
      sampled.complete({ ...asked, seed: 1, temperature: 0 }),
    ]);
    expect(one.tokens?.completionIds).not.toEqual(two.tokens?.completionIds);
    expect(greedy.tokens).toEqual((await (await chatOf({ folder: LLAMA })).complete(asked)).tokens);
  });
});

describe("a folder that holds no such model", () => {
  const lacks = (file: string) => (folder: string) => rmSync(join(folder, file));

  it.each([
    ["has no model", lacks("onnx/model.onnx"), /holds no onnx\/model\.onnx or onnx\/model_q4\.onnx: export/],
    [
      "has no configuration",
      lacks("config.json"),
      /holds no config\.json and tokenizer\.json: give the folder/,
    ],
    [
      "has no tokenizer",
      lacks("tokenizer.json"),
      /holds no config\.json and tokenizer\.json: give the folder/,
    ],
    [
      "has a damaged model",
      (folder: string) =>
        writeFileSync(
          join(folder, "onnx/model.onnx"),
          readFileSync(join(folder, "onnx/model.onnx")).subarray(0, 9000),
        ),
      /onnx\/model\.onnx is no ONNX model that can be run .*: export/s,
    ],
    [
      "has a damaged configuration",
      (folder: string) => writeFileSync(join(folder, "config.json"), "{"),
      /config\.json is no JSON: export/,
    ],
    [
      "has a configuration without a context",
      edited("config.json", (value) => Reflect.deleteProperty(value, "max_position_embeddings")),
      /config\.json is not what it should be: max_position_embeddings/,
    ],
    [
      "has a damaged tokenizer",
      (folder: string) => writeFileSync(join(folder, "tokenizer.json"), "[]"),
      /tokenizer\.json of the tokenizer .* is not what it should be/,
    ],
    [
      "has a tokenizer of another kind",
      edited("tokenizer.json", (value) => Object.assign(value, { model: { type: "Nonsense" } })),
      /is none of BPE, WordPiece and Unigram/,
    ],
    [
      "has no chat template",
      edited("tokenizer_config.json", (value) => Reflect.deleteProperty(value, "chat_template")),
      /has no chat template: put it beside the tokenizer as chat_template\.jinja/,
    ],
    [
      "has a chat template that is none",
      edited("tokenizer_config.json", (value) => Object.assign(value, { chat_template: "{% for %}" })),
      /the chat template of .* cannot be used .*: correct it/s,
    ],
    [
      "has a chat template without a way to call tools",
      edited("tokenizer_config.json", (value) =>
        Object.assign(value, { chat_template: "{{ messages[0].content }}" }),
      ),
      /writes calls of tools in no way that is known: say which/,
    ],
    [
      "has the tokenizer of another model",
      edited("tokenizer.json", (value) =>
        Object.assign(value, {
          added_tokens: [
            {
              id: 5000,
              content: "<more>",
              special: true,
              normalized: false,
              lstrip: false,
              rstrip: false,
              single_word: false,
            },
          ],
        }),
      ),
      /the tokenizer has 5001 tokens, but .* gives logits of 384/,
    ],
    [
      "has another kind of model",
      (folder: string) => {
        const critic = join(import.meta.dirname, "../../fixtures/none.onnx");
        writeFileSync(join(folder, "onnx/model.onnx"), critic);
      },
      /is no ONNX model that can be run/,
    ],
  ])("is refused by name where it %s", async (_, change, message) => {
    const made = onnxToolChat({ folder: changed(change) });
    await expect(made).rejects.toThrow(ModelFolderError);
    await expect(made).rejects.toThrow(message);
  });

  it("is refused where it does not exist, or lacks the precision that was asked for", async () => {
    await expect(onnxToolChat({ folder: "/nowhere" })).rejects.toThrow(
      /\/nowhere does not exist: give the folder/,
    );
    await expect(onnxToolChat({ folder: QWEN, precision: "q4" })).rejects.toThrow(
      /holds no onnx\/model_q4\.onnx/,
    );
    const folder = changed((to) => renameSync(join(to, "onnx/model.onnx"), join(to, "onnx/model_q4.onnx")));
    expect((await chatOf({ folder })).model).toBeTruthy();
  });

  it("is refused with settings that mean nothing", async () => {
    await expect(onnxToolChat({ folder: QWEN, topP: 3 })).rejects.toThrow(RangeError);
  });
});

describe("a template or a model that fails while it is used", () => {
  it("is a fault of the model, with the remedy", async () => {
    const refusing = changed(
      edited("tokenizer_config.json", (value) =>
        Object.assign(value, { chat_template: "{{ raise_exception('no') }}" }),
      ),
    );
    const chat = await chatOf({ folder: refusing, toolSyntax: "none" });
    await expect(chat.complete(ASK)).rejects.toThrow(ChatModelError);
    await expect(chat.complete(ASK)).rejects.toThrow(/the chat template does not take the conversation/);
    const failing = changed(
      edited("tokenizer_config.json", (value) =>
        Object.assign(value, { chat_template: "{{ messages[0].content | unheard_of }}" }),
      ),
    );
    const other = await chatOf({ folder: failing, toolSyntax: "none" });
    await expect(other.complete(ASK)).rejects.toThrow(/the chat template of .* cannot be used/);
    const silent = changed(
      edited("tokenizer_config.json", (value) => Object.assign(value, { chat_template: "{{ '' }}" })),
    );
    const empty = await chatOf({ folder: silent, toolSyntax: "none" });
    await expect(empty.complete(ASK)).rejects.toThrow(/the chat template .* nothing/);
  });
});
