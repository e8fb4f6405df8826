import { describe, expect, it } from "vitest";
import type { Script } from "../../factories/model-server/asked.ts";
import { type ModelServerOptions, modelServer } from "../../factories/model-server/model-server.ts";
import { answer, fault, status, unfinished } from "../../factories/model-server/replies.ts";

const HEADERS = { "content-type": "application/json", "x-api-key": "key", "anthropic-version": "2023-06-01" };
const MESSAGE = { model: "m", max_tokens: 100, messages: [{ role: "user", content: "hello" }] };
const CHAT = { model: "m", max_tokens: 100, messages: [{ role: "user", content: "hello" }] };

async function called(
  url: string,
  call: { readonly path: string; readonly body?: unknown; readonly headers?: Record<string, string> },
): Promise<{
  readonly status: number;
  readonly body: Record<string, unknown> & { error?: { message: string } };
}> {
  const response = await fetch(`${url}${call.path}`, {
    method: call.body === undefined ? "GET" : "POST",
    headers: call.headers ?? HEADERS,
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

async function server(script: Script = () => answer("fine"), options: ModelServerOptions = {}) {
  const started = await modelServer(script, options);
  const post = (path: string, body: unknown) => called(started.url, { path, body });
  const get = (path: string) => called(started.url, { path });
  return { started, post, get };
}

const marked = (text: string) => ({ type: "text", text, cache_control: { type: "ephemeral" } });

describe("the scripted model server", () => {
  it("hands the script what was asked and sends its answer with counted tokens", async () => {
    const { started, post } = await server(({ text, repeats }) => answer(`${text} ${repeats}`));
    const first = await post("/v1/messages", MESSAGE);
    expect(first).toMatchObject({
      status: 200,
      body: {
        content: [{ type: "text", text: "hello 0" }],
        stop_reason: "end_turn",
        usage: { input_tokens: 2, output_tokens: 2, cache_read_input_tokens: 0 },
      },
    });
    const second = await post("/v1/messages", MESSAGE);
    expect(second.body["content"]).toEqual([{ type: "text", text: "hello 1", citations: null }]);
    expect(started.asked.map(({ nth, repeats }) => [nth, repeats])).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(started.calls.map((call) => [call.path, call.status])).toEqual([
      ["/v1/messages", 200],
      ["/v1/messages", 200],
    ]);
  });

  it("counts a marked prefix as written the first time and as read from then on", async () => {
    const { post } = await server();
    const body = { ...MESSAGE, system: [marked("s".repeat(400))] };
    const usage = async (asked: unknown) => (await post("/v1/messages", asked)).body["usage"];
    expect(await usage(body)).toMatchObject({
      input_tokens: 2,
      cache_creation_input_tokens: 100,
      cache_read_input_tokens: 0,
    });
    const other = { ...body, messages: [{ role: "user", content: "other question" }] };
    expect(await usage(other)).toMatchObject({
      input_tokens: 4,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 100,
    });
    expect(await usage({ ...body, model: "n" })).toMatchObject({ cache_creation_input_tokens: 100 });
  });

  it.each([
    ["an unknown field", { ...MESSAGE, max_token: 1 }, "max_token: Extra inputs are not permitted"],
    ["no max_tokens", { model: "m", messages: MESSAGE.messages }, "max_tokens: Field required"],
    ["no messages", { ...MESSAGE, messages: [] }, "at least one message"],
    [
      "a breakpoint on a message",
      { ...MESSAGE, messages: [{ role: "user", content: "x", cache_control: { type: "ephemeral" } }] },
      "messages.0.cache_control: Extra inputs",
    ],
    ["a breakpoint on empty text", { ...MESSAGE, system: [marked("")] }, "cannot be set for empty text"],
    ["five breakpoints", { ...MESSAGE, system: ["a", "b", "c", "d", "e"].map(marked) }, "Found 5"],
    ["an open schema", withFormat({ type: "object", properties: {} }), "additionalProperties"],
    [
      "a schema with bounds",
      withFormat({
        type: "object",
        additionalProperties: false,
        properties: { n: { type: "integer", minimum: 1 } },
      }),
      "minimum",
    ],
    ["a tool that is not there", { ...MESSAGE, tool_choice: { type: "tool", name: "t" } }, "not found"],
    ["a temperature out of range", { ...MESSAGE, temperature: 1.5 }, "temperature"],
  ])("refuses %s at /v1/messages", async (_, body, message) => {
    const { started, post } = await server();
    const { status: code, body: said } = await post("/v1/messages", body);
    expect(code).toBe(400);
    expect(said).toMatchObject({ type: "error", error: { type: "invalid_request_error" } });
    expect(said.error?.message).toContain(message);
    expect(started.asked).toEqual([]);
  });

  it.each([
    ["an unknown field", { ...CHAT, guided_json: {} }, "Unrecognized request argument supplied: guided_json"],
    ["both limits", { ...CHAT, max_completion_tokens: 2 }, "at the same time"],
    [
      "a JSON object nobody asked for in words",
      { ...CHAT, response_format: { type: "json_object" } },
      "'json'",
    ],
    [
      "an open strict schema",
      { ...CHAT, response_format: strict({ type: "object" }) },
      "additionalProperties",
    ],
    [
      "a strict schema with a property that may be left out",
      {
        ...CHAT,
        response_format: strict({
          type: "object",
          additionalProperties: false,
          required: [],
          properties: { a: { type: "string" } },
        }),
      },
      "Missing 'a'",
    ],
  ])("refuses %s at /v1/chat/completions", async (_, body, message) => {
    const { post } = await server();
    const { status: code, body: said } = await post("/v1/chat/completions", body);
    expect(code).toBe(400);
    expect(said.error?.message).toContain(message);
  });

  it("lets nobody in without a key at Anthropic's routes, and only its own key where it has one", async () => {
    const { started } = await server(undefined, { apiKey: "right" });
    const with_ = (headers: Record<string, string>) =>
      called(started.url, { path: "/v1/messages", body: MESSAGE, headers: { ...HEADERS, ...headers } });
    expect((await with_({ "x-api-key": "wrong" })).status).toBe(401);
    expect((await with_({ "x-api-key": "right" })).status).toBe(200);
    const chat = { path: "/v1/chat/completions", body: CHAT };
    expect((await called(started.url, { ...chat, headers: {} })).status).toBe(401);
    const open = await server();
    const bare = await called(open.started.url, { ...chat, headers: {} });
    expect(bare.status).toBe(200);
  });

  it("cuts an answer at the limit of tokens", async () => {
    const { post } = await server(() => answer("x".repeat(1000)));
    const { body } = await post("/v1/messages", { ...MESSAGE, max_tokens: 10 });
    expect(body).toMatchObject({ stop_reason: "max_tokens", usage: { output_tokens: 10 } });
    const chat = await post("/v1/chat/completions", { ...CHAT, max_tokens: 10 });
    expect(chat.body["choices"]).toMatchObject([
      { finish_reason: "length", message: { content: "x".repeat(40) } },
    ]);
  });

  it("fails in all the ways a provider does", async () => {
    const { started, post } = await server();
    started.failNext(
      "messages",
      status(529, { retryAfter: 3 }),
      fault("malformed"),
      fault("cut"),
      fault("reset"),
    );
    expect(await post("/v1/messages", MESSAGE)).toMatchObject({
      status: 529,
      body: { error: { type: "overloaded_error" } },
    });
    await expect(post("/v1/messages", MESSAGE)).rejects.toThrow(SyntaxError);
    await expect(post("/v1/messages", MESSAGE)).rejects.toThrow("terminated");
    await expect(post("/v1/messages", MESSAGE)).rejects.toThrow("fetch failed");
    expect((await post("/v1/messages", MESSAGE)).status).toBe(200);
  });

  it("works through a batch, with an outcome of its own for each request, in another order", async () => {
    const { post, get } = await server(
      ({ text }) => (text === "late" ? unfinished("expired") : text === "bad" ? status(500) : answer(text)),
      { batchPolls: 2 },
    );
    const request = (custom_id: string, content: string, more: object = {}) => ({
      custom_id,
      params: { ...MESSAGE, messages: [{ role: "user", content }], ...more },
    });
    const made = await post("/v1/messages/batches", {
      requests: [
        request("a", "one"),
        request("b", "late"),
        request("c", "bad"),
        request("d", "two", { max_tokens: 0 }),
      ],
    });
    const path = `/v1/messages/batches/${made.body["id"]}`;
    expect((await get(path)).body).toMatchObject({ processing_status: "in_progress", results_url: null });
    expect((await get(`${path}/results`)).status).toBe(404);
    expect((await get(path)).body).toMatchObject({
      processing_status: "ended",
      request_counts: { processing: 0, succeeded: 1, errored: 2, canceled: 0, expired: 1 },
    });
    const response = await fetch(`${made.body["id"] ? (await get(path)).body["results_url"] : ""}`, {
      headers: HEADERS,
    });
    const lines = (await response.text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map((line) => [line.custom_id, line.result.type, line.result.error?.error.type])).toEqual([
      ["d", "errored", "invalid_request_error"],
      ["b", "expired", undefined],
      ["a", "succeeded", undefined],
      ["c", "errored", "api_error"],
    ]);
  });

  it("refuses batches with ids that are wrong or stand twice", async () => {
    const { post } = await server();
    const refused = async (...ids: readonly string[]) => {
      const requests = ids.map((custom_id) => ({ custom_id, params: MESSAGE }));
      const { status: code, body } = await post("/v1/messages/batches", { requests });
      return [code, body.error?.message];
    };
    expect(await refused("a b")).toEqual([
      400,
      "requests.0.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'",
    ]);
    expect(await refused("a", "a")).toEqual([400, "requests: duplicate custom_id 'a'"]);
    expect(await refused()).toEqual([400, expect.stringContaining("requests")]);
  });

  it("lists batches from the newest on, page by page, and cancels them", async () => {
    const { started, post, get } = await server(undefined, { batchPolls: null });
    for (const custom_id of ["a", "b", "c"]) {
      await post("/v1/messages/batches", { requests: [{ custom_id, params: MESSAGE }] });
    }
    const page = await get("/v1/messages/batches?limit=2");
    expect(page.body).toMatchObject({
      has_more: true,
      first_id: "msgbatch_000003",
      last_id: "msgbatch_000002",
    });
    const rest = await get("/v1/messages/batches?limit=2&after_id=msgbatch_000002");
    expect(rest.body).toMatchObject({ has_more: false, data: [{ id: "msgbatch_000001" }] });
    const path = "/v1/messages/batches/msgbatch_000001";
    expect((await post(`${path}/cancel`, {})).body).toMatchObject({ processing_status: "canceling" });
    expect((await get(path)).body).toMatchObject({
      request_counts: { canceled: 1 },
      processing_status: "ended",
    });
    await started.endBatches();
    expect((await get("/v1/messages/batches/msgbatch_000002")).body).toMatchObject({
      processing_status: "ended",
      request_counts: { succeeded: 1 },
    });
  });
});

function withFormat(schema: object) {
  return { ...MESSAGE, output_config: { format: { type: "json_schema", schema } } };
}

function strict(schema: object) {
  return { type: "json_schema", json_schema: { name: "s", strict: true, schema } };
}
