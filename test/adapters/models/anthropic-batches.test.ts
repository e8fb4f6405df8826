import { describe, expect, it } from "vitest";
import { anthropicModel } from "../../../shared/adapters/models/anthropic.ts";
import type { AnthropicStructured } from "../../../shared/adapters/models/anthropic-request.ts";
import type { BatchResult, ChatBatches, ChatRequest } from "../../../shared/ports/chat-model.ts";
import type { Script } from "../../factories/model-server/asked.ts";
import {
  type ModelServer,
  type ModelServerOptions,
  modelServer,
} from "../../factories/model-server/model-server.ts";
import { answer, fault, refusal, status, unfinished } from "../../factories/model-server/replies.ts";

const QUICK = { baseDelayMs: 1, longestDelayMs: 4, maxTries: 3, timeoutMs: 10_000, maxConcurrency: 1 };

function question(content: string, more: Partial<ChatRequest> = {}): ChatRequest {
  return { system: "You judge.", messages: [{ role: "user", content }], maxTokens: 50, ...more };
}

async function desk(
  script: Script,
  options: ModelServerOptions & {
    readonly structured?: AnthropicStructured;
    readonly timeoutMs?: number;
  } = {},
): Promise<{ readonly server: ModelServer; readonly batches: ChatBatches }> {
  const server = await modelServer(script, options);
  const { structured = "native", timeoutMs = QUICK.timeoutMs } = options;
  const { batches } = anthropicModel({
    model: "m",
    apiKey: "k",
    baseUrl: server.url,
    structured,
    ...QUICK,
    timeoutMs,
  });
  if (batches === undefined) throw new Error("Anthropic takes batches");
  return { server, batches };
}

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const byId = (results: readonly BatchResult[]) =>
  Object.fromEntries(results.map((result) => [result.id, result]));
const many = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: `q${index}`, request: question(`question ${index}`) }));

describe("batches at Anthropic", () => {
  it("know the provider's limits", async () => {
    const { batches } = await desk(() => answer("x"));
    expect([batches.maxRequests, batches.maxBytes]).toEqual([100_000, 256_000_000]);
  });

  it("are sent, followed and read, each result by the id it was sent with", async () => {
    const { batches } = await desk(({ text }) => answer(`heard ${text}`), {
      batchPolls: 2,
      now: () => Date.UTC(2026, 1, 3),
    });
    const id = await batches.submit(many(5));
    expect(await batches.state(id)).toEqual({
      id,
      ended: false,
      createdAt: Date.UTC(2026, 1, 3),
      counts: { processing: 5, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
    });
    expect(await batches.state(id)).toMatchObject({ ended: true, counts: { processing: 0, succeeded: 5 } });
    const results = await all(batches.results(id));
    expect(results.map((result) => result.id)).not.toEqual(many(5).map((each) => each.id));
    expect(byId(results)["q3"]).toEqual({
      id: "q3",
      kind: "answer",
      answer: {
        text: "heard question 3",
        stop: "end",
        model: "m",
        usage: { input: 2, cacheRead: 3, cacheWrite: 0, output: 4 },
      },
    });
  });

  it.each(["native", "tool", "prompt"] as const)(
    "ask for JSON by way of %s as single calls do",
    async (structured) => {
      const { batches } = await desk(() => answer('```json\n{"n":1}\n```'), { structured });
      const plain = await desk(() => answer({ n: 1 }), { structured });
      const schema = {
        name: "v",
        schema: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] },
      };
      const request = question("judge", { schema });
      const { batches: used } = structured === "prompt" ? { batches } : plain;
      const id = await used.submit([{ id: "a", request }]);
      await used.state(id);
      expect(await all(used.results(id))).toMatchObject([
        { kind: "answer", answer: { text: '{"n":1}', stop: "end" } },
      ]);
    },
  );

  it("tell a request at fault from one that may be sent again", async () => {
    const { batches } = await desk(({ text }) => {
      if (text === "bad") return status(400, { message: "messages.0.content: quotes bad" });
      if (text === "broken") return status(500);
      if (text === "late") return unfinished("expired");
      if (text === "stopped") return unfinished("canceled");
      return refusal("no");
    });
    const texts = ["bad", "broken", "late", "stopped", "fine"];
    const id = await batches.submit(texts.map((text) => ({ id: text, request: question(text) })));
    await batches.state(id);
    const message = (text: string) => `anthropic m: ${text}`;
    const error = (kind: string, text: string, permanent: boolean) => ({
      ...{ id: kind, kind: "error", message: message(text), permanent },
    });
    expect(byId(await all(batches.results(id)))).toEqual({
      bad: error("bad", "invalid_request_error at messages.0.content", true),
      broken: error("broken", "api_error", false),
      late: error("late", "the batch expired before this request's turn", false),
      stopped: error("stopped", "the batch was cancelled before this request's turn", false),
      fine: expect.objectContaining({ answer: expect.objectContaining({ stop: "refusal", text: "no" }) }),
    });
  });

  it("are cancelled, and what was not done may be sent again", async () => {
    const { batches } = await desk(() => answer("x"), { batchPolls: null });
    const id = await batches.submit(many(2));
    await batches.cancel(id);
    expect(await batches.state(id)).toMatchObject({ ended: true, counts: { canceled: 2 } });
    const results = await all(batches.results(id));
    expect(results).toMatchObject([
      { kind: "error", permanent: false },
      { kind: "error", permanent: false },
    ]);
  });

  it("are listed from the newest on, over more than one page", async () => {
    const { server, batches } = await desk(() => answer("x"), { batchPolls: null });
    for (let index = 0; index < 103; index += 1) await batches.submit(many(1));
    const listed = await all(batches.list());
    expect(listed).toHaveLength(103);
    expect([listed[0]?.id, listed.at(-1)?.id]).toEqual(["msgbatch_000103", "msgbatch_000001"]);
    expect(server.calls.filter(({ method }) => method === "GET")).toHaveLength(2);
  });

  it("say that results are not there yet", async () => {
    const { batches } = await desk(() => answer("x"), { batchPolls: null });
    const id = await batches.submit(many(1));
    await expect(all(batches.results(id))).rejects.toMatchObject({
      permanent: false,
      message: `anthropic m: batch ${id} has no results yet; wait until it has ended`,
    });
    await expect(batches.state("msgbatch_none")).rejects.toMatchObject({ permanent: true, status: 404 });
  });

  it.each(["cut", "stall", "malformed"] as const)(
    "read results on where the stream came to harm, each once: %s",
    async (kind) => {
      const { server, batches } = await desk(
        ({ text }) => answer(text),
        kind === "stall" ? { timeoutMs: 300 } : {},
      );
      const id = await batches.submit(many(40));
      await batches.state(id);
      server.failNext("batch-results", fault(kind), status(529), fault(kind));
      const results = await all(batches.results(id));
      expect(results).toHaveLength(40);
      expect(new Set(results.map((result) => result.id)).size).toBe(40);
    },
  );

  it("give up on a stream that brings nothing new", async () => {
    const { server, batches } = await desk(({ text }) => answer(text));
    const id = await batches.submit(many(3));
    await batches.state(id);
    server.failNext("batch-results", ...Array.from({ length: 9 }, () => fault("malformed")));
    await expect(all(batches.results(id))).rejects.toMatchObject({ permanent: false });
    expect(server.calls.filter(({ path }) => path.endsWith("/results"))).toHaveLength(3);
  });

  it("let the reader ask the model meanwhile, stop early, and throw errors of its own", async () => {
    const server = await modelServer(({ text }) => answer(text));
    const model = anthropicModel({ model: "m", apiKey: "k", baseUrl: server.url, ...QUICK });
    const id = (await model.batches?.submit(many(3))) ?? "";
    await model.batches?.state(id);
    let read = 0;
    for await (const result of model.batches?.results(id) ?? []) {
      read += 1;
      expect((await model.complete(question(result.id))).text).toBe(result.id);
      if (read === 2) break;
    }
    expect(read).toBe(2);
    const mine = new Error("mine");
    const throwing = async () => {
      for await (const _ of model.batches?.results(id) ?? []) throw mine;
    };
    await expect(throwing()).rejects.toBe(mine);
  });

  it("are sent again only where the provider surely made none", async () => {
    const { server, batches } = await desk(() => answer("x"), { batchPolls: null, timeoutMs: 300 });
    server.failNext("batch-create", status(429), status(529));
    await batches.submit(many(1));
    expect(await all(batches.list())).toHaveLength(1);
    for (const doubt of [status(500), fault("cut"), fault("silence")]) {
      server.failNext("batch-create", doubt);
      const before = server.calls.length;
      await expect(batches.submit(many(1))).rejects.toMatchObject({
        permanent: false,
        message: expect.stringContaining("look for it among the newest"),
      });
      expect(server.calls.length - before).toBe(1);
    }
  });

  it.each([
    [[], "at least one request"],
    [[{ id: "a b", request: question("x") }], 'the id "a b"'],
    [[{ id: "", request: question("x") }], "1 to 64 letters"],
    [[{ id: "x".repeat(65), request: question("x") }], "1 to 64 letters"],
    [many(1).concat(many(1)), "the id q0 stands twice"],
  ])("are refused before they are sent where the provider would refuse them", async (requests, message) => {
    const { server, batches } = await desk(() => answer("x"));
    await expect(batches.submit(requests)).rejects.toMatchObject({
      permanent: true,
      message: expect.stringContaining(message),
    });
    expect(server.calls).toEqual([]);
  });

  it("are refused where there are too many requests, or too many bytes", async () => {
    const { server, batches } = await desk(() => answer("x"));
    const request = question("x");
    const crowd = Array.from({ length: 100_001 }, (_, index) => ({ id: `q${index}`, request }));
    await expect(batches.submit(crowd)).rejects.toThrow("split it into batches of at most 100000");
    const heavy = question("x".repeat(1_000_000));
    const heap = Array.from({ length: 257 }, (_, index) => ({ id: `q${index}`, request: heavy }));
    await expect(batches.submit(heap)).rejects.toThrow("split it into batches of at most 256000000 bytes");
    expect(server.calls).toEqual([]);
  });
});
