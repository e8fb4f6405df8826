import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { anthropicModel } from "../../../shared/adapters/models/anthropic.ts";
import type { CallLimits } from "../../../shared/adapters/models/call-policy.ts";
import { openAiCompatibleModel } from "../../../shared/adapters/models/openai-compatible.ts";
import { type ChatModel, ChatModelError, type ChatRequest } from "../../../shared/ports/chat-model.ts";
import type { Script } from "../../factories/model-server/asked.ts";
import { type ModelServer, modelServer } from "../../factories/model-server/model-server.ts";
import { answer, fault, refusal, status } from "../../factories/model-server/replies.ts";

const SECRET = "the secret plan of Mrs Underhill";
const QUICK = { baseDelayMs: 1, longestDelayMs: 4, maxTries: 3, timeoutMs: 10_000 };
const SCHEMA = {
  name: "verdict of the judge",
  schema: {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: {
      score: { type: "integer", minimum: 1, maximum: 5 },
      parts: {
        type: "array",
        items: { type: "object", properties: { why: { type: "string" } }, required: ["why"] },
      },
    },
    required: ["score", "parts"],
  },
};
const VERDICT = { score: 4, parts: [{ why: "it ran the tests" }] };

function question(content: string, more: Partial<ChatRequest> = {}): ChatRequest {
  return { system: "You judge.", messages: [{ role: "user", content }], maxTokens: 200, ...more };
}

const PROVIDERS = [
  {
    provider: "anthropic" as const,
    url: (server: ModelServer) => server.url,
    modes: ["native", "tool", "prompt"] as const,
    model: (baseUrl: string, structured: string, limits: Partial<CallLimits>) =>
      anthropicModel({
        ...{ model: "m", apiKey: "key", baseUrl, ...limits },
        structured: structured === "tool" || structured === "prompt" ? structured : "native",
      }),
  },
  {
    provider: "openai-compatible" as const,
    url: (server: ModelServer) => server.openaiUrl,
    modes: ["json_schema", "json_object", "prompt"] as const,
    model: (baseUrl: string, structured: string, limits: Partial<CallLimits>) =>
      openAiCompatibleModel({
        ...{ model: "m", apiKey: "key", baseUrl, ...limits },
        structured: structured === "json_object" || structured === "prompt" ? structured : "json_schema",
      }),
  },
];

describe.each(PROVIDERS)("a model at $provider", ({ provider, url, modes, model: make }) => {
  async function talk(
    script: Script,
    options: {
      readonly structured?: string;
      readonly limits?: Partial<CallLimits>;
      readonly apiKey?: string;
    } = {},
  ): Promise<{ readonly server: ModelServer; readonly model: ChatModel }> {
    const server = await modelServer(script, options.apiKey === undefined ? {} : { apiKey: options.apiKey });
    const model = make(url(server), options.structured ?? modes[0], { ...QUICK, ...options.limits });
    return { server, model };
  }

  async function failure(work: Promise<unknown>): Promise<ChatModelError> {
    const error: unknown = await work.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof ChatModelError)) throw new Error("expected a ChatModelError", { cause: error });
    return error;
  }

  it("says who it is", async () => {
    const { model } = await talk(() => answer("x"));
    expect([model.provider, model.model]).toEqual([provider, "m"]);
  });

  it("sends system text, turns, limit and temperature, and reads text, model and usage", async () => {
    const { server, model } = await talk(({ text }) => answer(`heard ${text}`));
    const messages = [
      { role: "user", content: "first" },
      { role: "assistant", content: "second" },
      { role: "user", content: "third" },
    ] as const;
    const given = await model.complete(question("", { messages, temperature: 0.3, maxTokens: 77 }));
    expect(given).toEqual({
      text: "heard third",
      stop: "end",
      model: "m",
      usage: { input: expect.any(Number), cacheRead: 0, cacheWrite: expect.any(Number), output: 3 },
    });
    expect(server.asked).toMatchObject([
      { system: "You judge.", turns: messages, maxTokens: 77, temperature: 0.3, schema: null },
    ]);
  });

  it("leaves the temperature to the provider where none is given, and sends no empty system text", async () => {
    const { server, model } = await talk(() => answer("x"));
    await model.complete(question("hello", { system: "" }));
    expect(server.asked).toMatchObject([{ system: "", temperature: null }]);
    expect(JSON.stringify(server.calls[0]?.body)).not.toContain('"system"');
  });

  it("counts what the provider read from its cache by itself", async () => {
    const { model } = await talk(() => answer("x"));
    const system = "s".repeat(4000);
    const first = await model.complete(question("12345678", { system }));
    const second = await model.complete(question("abcdefgh", { system }));
    expect(first.usage.cacheRead).toBe(0);
    expect(first.usage.input + first.usage.cacheWrite).toBe(1002);
    expect(second.usage).toEqual({ input: 2, cacheRead: 1000, cacheWrite: 0, output: 1 });
  });

  it.each(modes)("gets JSON of a schema by way of %s", async (structured) => {
    const { server, model } = await talk(() => answer(VERDICT), { structured });
    const given = await model.complete(question("judge", { schema: SCHEMA }));
    expect(JSON.parse(given.text)).toEqual(VERDICT);
    expect(given.stop).toBe("end");
    const told = server.asked[0]?.structured;
    expect(told ?? "prompt").toBe(structured);
    const constrained = ["native", "tool", "json_schema"].includes(structured);
    expect(server.asked[0]?.schema !== null).toBe(constrained);
    expect(server.asked[0]?.system.includes('"score"')).toBe(!constrained);
  });

  it("takes JSON out of a fence where the model was only told in words", async () => {
    const { model } = await talk(() => answer(`\`\`\`json\n${JSON.stringify(VERDICT)}\n\`\`\``), {
      structured: "prompt",
    });
    const given = await model.complete(question("judge", { schema: SCHEMA }));
    expect(JSON.parse(given.text)).toEqual(VERDICT);
  });

  it.each([
    ["end", answer("x")],
    ["end", answer("x", { stop: "stop_sequence" })],
    ["length", answer("x", { stop: "length" })],
    ["length", answer("x".repeat(5000))],
    ["refusal", refusal()],
    ["refusal", answer("", { stop: "filtered" })],
    ["other", answer("x", { stop: "pause" })],
  ] as const)("reads the stop reason %s", async (stop, reply) => {
    const { model } = await talk(() => reply);
    expect((await model.complete(question("hello"))).stop).toBe(stop);
  });

  it("gives the words of a refusal", async () => {
    const { model } = await talk(() => refusal("I would rather not."));
    const given = await model.complete(question("hello", { schema: SCHEMA }));
    expect(given).toMatchObject({ stop: "refusal", text: "I would rather not." });
  });

  it.each([408, 409, 429, 500, 502, 503, 529])("tries again after status %i", async (code) => {
    const { server, model } = await talk(({ repeats }) => (repeats < 2 ? status(code) : answer("at last")));
    expect((await model.complete(question("hello"))).text).toBe("at last");
    expect(server.calls.map((call) => call.status)).toEqual([code, code, 200]);
  });

  it.each(["cut", "reset", "malformed", "misshapen"] as const)(
    "tries again when the answer comes to harm: %s",
    async (kind) => {
      const { server, model } = await talk(({ repeats }) => (repeats < 2 ? fault(kind) : answer("at last")));
      expect((await model.complete(question("hello"))).text).toBe("at last");
      expect(server.calls).toHaveLength(3);
    },
  );

  it.each(["stall", "silence"] as const)("tries again when no answer comes in time: %s", async (kind) => {
    const { server, model } = await talk(({ repeats }) => (repeats < 1 ? fault(kind) : answer("at last")), {
      limits: { timeoutMs: 80, maxTries: 20 },
    });
    expect((await model.complete(question("hello"))).text).toBe("at last");
    expect(server.calls.length).toBeGreaterThan(1);
  });

  it("gives up after the tries it has, and tells a failure that passes from one that does not", async () => {
    const { server, model } = await talk(() => status(503));
    const error = await failure(model.complete(question("hello")));
    expect(error).toMatchObject({ permanent: false, status: 503 });
    expect(error.message).toMatch(new RegExp(`^${provider} m: 503 .*after 3 tries`));
    expect(server.calls).toHaveLength(3);
  });

  it.each([
    [400, "check the model's name"],
    [401, "check the API key"],
    [403, "check what the API key may do"],
    [404, "check the model's name and the base URL"],
    [413, "too large"],
    [422, "422"],
  ])("does not try again after status %i and says what to do", async (code, remedy) => {
    const { server, model } = await talk(() => status(code));
    const error = await failure(model.complete(question("hello")));
    expect(error).toMatchObject({ permanent: true, status: code });
    expect(error.message).toContain(remedy);
    expect(server.calls).toHaveLength(1);
  });

  it("does not try again when the account has nothing left to spend", async () => {
    const { server, model } = await talk(() => status(429, { type: "insufficient_quota" }));
    expect(await failure(model.complete(question("hello")))).toMatchObject({ permanent: true, status: 429 });
    expect(server.calls).toHaveLength(1);
  });

  it("names the provider's own error and never quotes the prompt, whatever the provider says", async () => {
    const message = `messages.0.content: not valid: ${SECRET}`;
    for (const reply of [status(400, { message }), status(529, { message }), fault("malformed")]) {
      const { model } = await talk(() => reply);
      const error = await failure(model.complete(question(SECRET, { system: SECRET })));
      const told = chain(error);
      expect(told).toContain(provider);
      expect(told).not.toContain("Underhill");
      if (reply.kind === "status") expect(told).toContain(`${reply.status} ${reply.type}`);
    }
  });

  it("never quotes the model's answer when that cannot be read", async () => {
    const { model } = await talk(() => fault("malformed"));
    expect(chain(await failure(model.complete(question("x"))))).not.toMatch(/html|assistant/);
  });

  it("says that a server cannot be reached", async () => {
    const gone = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => gone.once("listening", resolve));
    const address = gone.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await new Promise((resolve) => gone.close(resolve));
    const model = make(`http://127.0.0.1:${port}/v1`, modes[0], QUICK);
    const error = await failure(model.complete(question("hello")));
    expect(error).toMatchObject({ permanent: false, status: null });
    expect(error.message).toMatch(/ECONNREFUSED.*after 3 tries.*check the base URL/);
  });

  it("waits as long as the provider asks, all calls together", async () => {
    const { server, model } = await talk(
      ({ text, repeats }) =>
        text === "a" && repeats === 0 ? status(429, { retryAfterMs: 150 }) : answer("x"),
      { limits: { maxConcurrency: 1 } },
    );
    const other = make(url(server), modes[0], QUICK);
    const [first, second] = [model.complete(question("a")), model.complete(question("b"))];
    await Promise.all([first, second]);
    const [refused, again, next] = server.calls.map(({ at }) => at);
    expect((again ?? 0) - (refused ?? 0)).toBeGreaterThanOrEqual(149);
    expect((next ?? 0) - (refused ?? 0)).toBeGreaterThanOrEqual(149);
    // Another model has limits of its own.
    await other.complete(question("c"));
  });

  it("holds back calls that had nothing to do with the refusal", async () => {
    const { server, model } = await talk(({ text, repeats }) =>
      text === "a" && repeats === 0 ? status(429, { retryAfterMs: 150 }) : answer("x"),
    );
    const first = model.complete(question("a"));
    while (server.calls[0]?.status !== 429) await new Promise((resolve) => setTimeout(resolve, 2));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await Promise.all([first, model.complete(question("b"))]);
    const refused = server.calls[0]?.at ?? 0;
    for (const call of server.calls.slice(1)) expect(call.at - refused).toBeGreaterThanOrEqual(149);
  });

  it("reads Retry-After in seconds", async () => {
    const { server, model } = await talk(({ repeats }) =>
      repeats === 0 ? status(429, { retryAfter: 0.1 }) : answer("x"),
    );
    await model.complete(question("a"));
    const [refused, again] = server.calls.map(({ at }) => at);
    expect((again ?? 0) - (refused ?? 0)).toBeGreaterThanOrEqual(99);
  });

  it("fails at once when the provider asks for a wait past the deadline", async () => {
    const { server, model } = await talk(() => status(429, { retryAfter: 3600 }), {
      limits: { deadlineMs: 5_000 },
    });
    const error = await failure(model.complete(question("a")));
    expect(error).toMatchObject({ permanent: false, status: 429 });
    expect(error.message).toContain("the next try would be in 3600");
    expect(server.calls).toHaveLength(1);
  });

  it("makes no more calls at a time than it may", async () => {
    const { server, model } = await talk(() => answer("x", { delayMs: 15 }), {
      limits: { maxConcurrency: 3 },
    });
    await Promise.all(Array.from({ length: 12 }, (_, index) => model.complete(question(`q${index}`))));
    expect(server.mostAtOnce).toBe(3);
    expect(server.asked.map(({ text }) => text)).toHaveLength(12);
  });

  it("stops when it is told to: while it waits for its turn, for an answer, and between tries", async () => {
    const { server, model } = await talk(
      ({ text }) => (text === "busy" ? status(503, { retryAfter: 60 }) : fault("silence")),
      {
        limits: { maxConcurrency: 1, timeoutMs: 60_000 },
      },
    );
    const stop = new AbortController();
    const waiting = model.complete(question("open"), stop.signal);
    const queued = model.complete(question("queued"), stop.signal);
    while (server.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    const reason = new Error("enough");
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(queued).rejects.toBe(reason);
    await expect(model.complete(question("late"), stop.signal)).rejects.toBe(reason);
    const between = new AbortController();
    const busy = model.complete(question("busy"), between.signal);
    while (server.calls.at(-1)?.status !== 503) await new Promise((resolve) => setTimeout(resolve, 2));
    between.abort(reason);
    await expect(busy).rejects.toBe(reason);
    expect(server.asked.map(({ text }) => text)).toEqual(["open", "busy"]);
  });

  it("sends the key it was given", async () => {
    const { server, model } = await talk(() => answer("x"), { apiKey: "key" });
    await model.complete(question("a"));
    const wrong = await modelServer(() => answer("x"), { apiKey: "another" });
    const error = await failure(make(url(wrong), modes[0], QUICK).complete(question("a")));
    expect(error).toMatchObject({ permanent: true, status: 401 });
    expect(server.calls[0]?.status).toBe(200);
    expect(server.calls).toHaveLength(1);
  });

  it.each([{ maxConcurrency: 0 }, { maxTries: 1.5 }, { timeoutMs: 0 }, { deadlineMs: Number.NaN }])(
    "refuses limits that make no sense: %o",
    (limits) => {
      expect(() => make("http://127.0.0.1:1", modes[0], limits)).toThrow(Object.keys(limits)[0]);
    },
  );

  it("refuses a base URL that is none, or that holds a password, without quoting it", () => {
    expect(() => make("ftp://host", modes[0], {})).toThrow("no http or https URL");
    expect(() => make("https://me:hunter2@host/v1", modes[0], {})).toThrow(
      /^(?!.*hunter2).*give the key by itself/,
    );
  });
});

/** All that a logger would print of an error. */
function chain(error: unknown): string {
  const parts: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) {
    parts.push(at.message, JSON.stringify(at), at.stack ?? "");
  }
  return parts.join("\n");
}
