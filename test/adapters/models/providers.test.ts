import { createServer } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { anthropicModel } from "../../../shared/adapters/models/anthropic.ts";
import { openAiCompatibleModel } from "../../../shared/adapters/models/openai-compatible.ts";
import type { ChatRequest } from "../../../shared/ports/chat-model.ts";
import { modelServer } from "../../factories/model-server/model-server.ts";
import { answer, status } from "../../factories/model-server/replies.ts";

const QUESTION: ChatRequest = {
  system: "The rubric.",
  messages: [{ role: "user", content: "hello" }],
  maxTokens: 10,
};
const SCHEMA = {
  name: "v",
  schema: { type: "object", properties: { n: { type: "integer", minimum: 1 } }, required: ["n"] },
};

describe("Anthropic's format", () => {
  it("marks the system text, and it alone, for the cache", async () => {
    const server = await modelServer(() => answer("x"));
    const model = anthropicModel({ model: "m", apiKey: "k", baseUrl: server.url });
    await model.complete(QUESTION);
    expect(server.calls[0]?.body).toEqual({
      model: "m",
      max_tokens: 10,
      system: [{ type: "text", text: "The rubric.", cache_control: { type: "ephemeral" } }],
      messages: [{ role: "user", content: "hello" }],
    });
  });

  it("has the tool before the mark, so that it is cached with the system text", async () => {
    const server = await modelServer(() => answer({ n: 1 }));
    const model = anthropicModel({ model: "m", apiKey: "k", baseUrl: server.url, structured: "tool" });
    const first = await model.complete({ ...QUESTION, schema: SCHEMA });
    const second = await model.complete({ ...QUESTION, schema: SCHEMA });
    expect(server.calls[0]?.body).toMatchObject({
      tools: [{ name: "v", input_schema: SCHEMA.schema }],
      tool_choice: { type: "tool", name: "v" },
    });
    expect(second.usage.cacheRead).toBe(first.usage.cacheWrite);
    expect(second.usage.cacheRead).toBeGreaterThan(30);
  });

  it("puts bounds that cannot be constrained into the description", async () => {
    const server = await modelServer(() => answer({ n: 1 }));
    const model = anthropicModel({ model: "m", apiKey: "k", baseUrl: server.url });
    await model.complete({ ...QUESTION, schema: SCHEMA });
    expect(server.calls[0]?.body).toMatchObject({
      output_config: {
        format: {
          schema: { additionalProperties: false, properties: { n: { description: "{minimum: 1}" } } },
        },
      },
    });
  });

  it("refuses a schema it cannot ask for, before it calls", async () => {
    const server = await modelServer(() => answer("x"));
    const at = (structured: "native" | "tool") =>
      anthropicModel({ model: "m", apiKey: "k", baseUrl: server.url, structured });
    const list = { name: "list", schema: { type: "array", items: { type: "string" } } };
    const vague = { name: "vague", schema: { type: "object", properties: { any: {} } } };
    await expect(at("tool").complete({ ...QUESTION, schema: list })).rejects.toThrow(
      /"list".*wrap it in an object/,
    );
    await expect(at("native").complete({ ...QUESTION, schema: vague })).rejects.toMatchObject({
      permanent: true,
      message: expect.stringMatching(/"vague".*structured "tool"/),
    });
    expect(server.calls).toEqual([]);
  });

  it("names the part of the request that the provider refuses", async () => {
    const server = await modelServer(() => answer("x"));
    const model = anthropicModel({ model: "m", apiKey: "k", baseUrl: server.url });
    await expect(model.complete({ ...QUESTION, maxTokens: 0 })).rejects.toThrow(
      "400 invalid_request_error at max_tokens (request req_scripted)",
    );
  });

  it("gives what a cut call of the tool holds as cut", async () => {
    const server = await modelServer(() => answer({ n: 1, why: "x".repeat(100) }));
    const model = anthropicModel({ model: "m", apiKey: "k", baseUrl: server.url, structured: "tool" });
    expect(await model.complete({ ...QUESTION, schema: SCHEMA })).toMatchObject({
      stop: "length",
      text: "{}",
    });
  });
});

describe("OpenAI's format", () => {
  it("sends a strict, closed schema and the limit under the name that servers know", async () => {
    const server = await modelServer(() => answer({ n: 1 }));
    const options = { model: "m", baseUrl: server.openaiUrl };
    await openAiCompatibleModel(options).complete({ ...QUESTION, schema: SCHEMA });
    await openAiCompatibleModel({ ...options, limitName: "max_completion_tokens" }).complete(QUESTION);
    expect(server.calls.map(({ body }) => body)).toEqual([
      {
        model: "m",
        max_tokens: 10,
        messages: [
          { role: "system", content: "The rubric." },
          { role: "user", content: "hello" },
        ],
        response_format: {
          type: "json_schema",
          json_schema: { name: "v", strict: true, schema: { ...SCHEMA.schema, additionalProperties: false } },
        },
      },
      expect.objectContaining({ max_completion_tokens: 10 }),
    ]);
  });

  it.each([
    [
      "OpenAI's place",
      { prompt_tokens: 9, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 4 } },
      4,
    ],
    ["Moonshot's place", { prompt_tokens: 9, completion_tokens: 1, cached_tokens: 5 }, 5],
    ["no place", { prompt_tokens: 9, completion_tokens: 1, prompt_tokens_details: null }, 0],
  ])("finds cached tokens in %s", async (_, usage, cacheRead) => {
    const model = await bareServer({
      choices: [{ message: { content: "x" }, finish_reason: "stop" }],
      usage,
    });
    expect((await model.complete(QUESTION)).usage).toEqual({
      ...{ input: 9 - cacheRead, cacheRead, cacheWrite: 0, output: 1 },
    });
  });

  it("takes a server's word where it tells no usage and no reason", async () => {
    const model = await bareServer({ choices: [{ message: { content: null } }] });
    expect(await model.complete(QUESTION)).toEqual({
      text: "",
      stop: "other",
      model: "m-2",
      usage: { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 },
    });
  });

  it("names the provider's own error where that has a code", async () => {
    const server = await modelServer(() => status(400, { type: "BadRequestError" }));
    const model = openAiCompatibleModel({ model: "m", baseUrl: server.openaiUrl });
    await expect(model.complete(QUESTION)).rejects.toThrow("openai-compatible m: 400 BadRequestError");
  });
});

/** A server that gives one answer, in a shape of its own. */
async function bareServer(body: object) {
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ id: "1", object: "chat.completion", created: 1, model: "m-2", ...body }));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return openAiCompatibleModel({ model: "m", baseUrl: `http://127.0.0.1:${port}` });
}
