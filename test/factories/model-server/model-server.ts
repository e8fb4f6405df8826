/**
 * A scripted stand-in for providers of models, on loopback, that speaks their formats over real HTTP:
 * `POST /v1/messages`, `/v1/messages/batches` (create, state, list, results, cancel) and `POST /v1/chat/completions`.
 *
 * ```ts
 * const server = await modelServer((asked) => answer({ score: asked.text.includes("test") ? 1 : 0 }));
 * const model = anthropicModel({ model: "m", apiKey: "key", baseUrl: server.url });
 * // OpenAI's format: baseUrl: server.openaiUrl
 * ```
 *
 * The script gets each valid request ({@link Asked}) and gives a {@link Reply}: `answer(...)`, `refusal()`,
 * `status(429, { retryAfter: 1 })`, `fault("cut")` and so on (`replies.ts`). To fail the first two tries of each
 * question: `({ repeats }) => (repeats < 2 ? status(529) : answer("yes"))`. Where JSON is asked by a forced tool,
 * the answer goes out as the tool's input, so one script serves all ways to ask.
 *
 * Requests are checked as strictly as the providers do; what they would refuse gets status 400 and never reaches the
 * script. A script that throws is answered with status 500, and its error is thrown anew when the server closes.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import type { Asked, Question, RecordedCall, Script } from "./asked.ts";
import { BatchDesk, type BatchOutcome } from "./batch-desk.ts";
import { completionOf, parseChatRequest, questionOfChat } from "./chat-format.ts";
import { messageOf, questionOf } from "./messages-answer.ts";
import { InvalidRequest, parseMessagesRequest } from "./messages-request.ts";
import type { AnswerReply, Fault, Reply } from "./replies.ts";
import { type Given, plainly, type Route, replied, routeOf } from "./routes.ts";
import { errorAnswer, readJson, send, sendDamaged, type WireAnswer } from "./wire.ts";

export interface ModelServerOptions {
  /** A batch ends at this poll of its state (default 1); null: when `endBatches` is called. */
  readonly batchPolls?: number | null;
  /** Only this key is let in. Without it, any key is; Anthropic's routes want one, OpenAI's do not. */
  readonly apiKey?: string;
  /** Milliseconds since the epoch; default: the clock. */
  readonly now?: () => number;
}

export interface ModelServer {
  /** Base URL for Anthropic's format. */
  readonly url: string;
  /** Base URL for OpenAI's format. */
  readonly openaiUrl: string;
  /** Every call over HTTP, in order, refused ones among them. */
  readonly calls: readonly RecordedCall[];
  /** Every question the script got, in order, those in batches among them. */
  readonly asked: readonly Asked[];
  /** The most calls that were open at one time. */
  readonly mostAtOnce: number;
  /** From now on this script answers. */
  use(script: Script): void;
  /** The next calls of the route go wrong like this, one after the other; the script is not asked for its reply. */
  failNext(route: Route, ...faults: readonly Fault[]): void;
  /** Ends all batches that were made. */
  endBatches(): Promise<void>;
  /** @throws what a script threw first */
  close(): Promise<void>;
}

/** A server that goes when the test ends. In `beforeAll` use `startModelServer` and close it yourself. */
export async function modelServer(script: Script, options: ModelServerOptions = {}): Promise<ModelServer> {
  const server = await startModelServer(script, options);
  onTestFinished(() => server.close());
  return server;
}

export async function startModelServer(
  script: Script,
  options: ModelServerOptions = {},
): Promise<ModelServer> {
  const server = new ScriptedServer(script, options);
  await server.listen();
  return server;
}

class ScriptedServer implements ModelServer {
  readonly calls: RecordedCall[] = [];
  readonly asked: Asked[] = [];
  mostAtOnce = 0;
  url = "";
  #script: Script;
  #open = 0;
  #made = 0;
  #scriptError: { readonly error: unknown } | null = null;
  readonly #seen = new Set<string>();
  readonly #repeats = new Map<string, number>();
  readonly #faults = new Map<Route, Fault[]>();
  readonly #options: ModelServerOptions;
  readonly #desk: BatchDesk;
  readonly #now: () => number;
  readonly #http = createServer((request, response) => void this.#handle(request, response));

  constructor(script: Script, options: ModelServerOptions) {
    this.#script = script;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#desk = new BatchDesk({
      url: () => this.url,
      now: this.#now,
      polls: options.batchPolls === undefined ? 1 : options.batchPolls,
      work: (customId, params) => this.#work(customId, params),
    });
  }

  get openaiUrl(): string {
    return `${this.url}/v1`;
  }

  async listen(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#http.listen(0, "127.0.0.1", resolve);
    await promise;
    const address = this.#http.address();
    this.url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  }

  use(script: Script): void {
    this.#script = script;
  }

  failNext(route: Route, ...faults: readonly Fault[]): void {
    this.#faults.set(route, [...(this.#faults.get(route) ?? []), ...faults]);
  }

  async endBatches(): Promise<void> {
    await this.#desk.endAll();
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#http.close(() => resolve());
    this.#http.closeAllConnections();
    await promise;
    if (this.#scriptError !== null) throw this.#scriptError.error;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://server");
    const call: RecordedCall = {
      method: request.method ?? "",
      path: url.pathname,
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, value?.toString()]),
      ),
      body: null,
      at: performance.now(),
      status: null,
    };
    this.calls.push(call);
    this.#open += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#open);
    response.once("close", () => {
      this.#open -= 1;
      if (response.headersSent) call.status = response.statusCode;
    });
    const body = await readJson(request).catch((error: unknown) => ({ broken: error }));
    const recorded: RecordedCall = Object.assign(call, { body });
    try {
      await this.#answer(recorded, { url, response });
    } catch (error) {
      if (error instanceof InvalidRequest) {
        const { message } = error;
        send(response, errorAnswer(call.path, { status: 400, type: "invalid_request_error", message }));
        return;
      }
      this.#scriptError ??= { error };
      send(response, errorAnswer(call.path, { status: 500, type: "api_error", message: "script failed" }));
    }
  }

  async #answer(
    call: RecordedCall,
    { url, response }: { readonly url: URL; readonly response: ServerResponse },
  ): Promise<void> {
    const refused = this.#refusedAtDoor(call);
    if (refused !== null) return send(response, refused);
    const route = routeOf(call.method, call.path);
    if (route === null) {
      const nothing = { status: 404, type: "not_found_error", message: "Not found" };
      return send(response, errorAnswer(call.path, nothing));
    }
    const planned = this.#faults.get(route)?.shift();
    if (planned?.kind === "status") return send(response, errorAnswer(call.path, planned));
    const given = await this.#route(route, { call, url });
    const damage = planned ?? given.damage;
    if (given.delayMs > 0) await sleep(given.delayMs);
    if (damage === null) return send(response, given.good);
    if (damage.kind === "status") return send(response, errorAnswer(call.path, damage));
    sendDamaged(response, { kind: damage.kind, good: given.good });
  }

  #refusedAtDoor({ path, headers }: RecordedCall): WireAnswer | null {
    const chat = path.startsWith("/v1/chat/");
    // Anthropic takes a key in either header; its client uses the second.
    const key =
      (chat ? undefined : headers["x-api-key"]) ?? headers["authorization"]?.replace(/^Bearer /, "");
    const wanted = this.#options.apiKey;
    if ((key === undefined && !chat) || (wanted !== undefined && key !== wanted)) {
      const type = chat ? "invalid_request_error" : "authentication_error";
      return errorAnswer(path, { status: 401, type, message: "invalid API key" });
    }
    if (!chat && headers["anthropic-version"] === undefined) {
      throw new InvalidRequest("anthropic-version: header is required");
    }
    return null;
  }

  async #route(
    route: Route,
    { call, url }: { readonly call: RecordedCall; readonly url: URL },
  ): Promise<Given> {
    const id = call.path.split("/")[4] ?? "";
    switch (route) {
      case "messages": {
        const parsed = parseMessagesRequest(call.body);
        const reply = await this.#ask(questionOf(parsed, null));
        const shown = (given: AnswerReply) =>
          messageOf(parsed, given, { id: this.#id(), seen: this.#seen, tier: "standard" });
        return replied(reply, shown);
      }
      case "chat": {
        const parsed = parseChatRequest(call.body);
        const reply = await this.#ask(questionOfChat(parsed));
        const shown = (given: AnswerReply) =>
          completionOf(parsed, given, { id: this.#id(), seen: this.#seen, now: this.#now() });
        return replied(reply, shown);
      }
      case "batch-create":
        return plainly(this.#desk.create(call.body));
      case "batch-state":
        return plainly(await this.#desk.state(id));
      case "batch-cancel":
        return plainly(this.#desk.cancel(id));
      case "batch-list":
        return plainly(this.#desk.list(url.searchParams));
      case "batch-results": {
        const lines = this.#desk.results(id);
        if (lines === null) return plainly(null);
        return { good: { status: 200, type: "application/x-jsonl", body: lines }, damage: null, delayMs: 0 };
      }
    }
  }

  async #ask(question: Question): Promise<Reply> {
    const key = JSON.stringify({ ...question, customId: null });
    const repeats = this.#repeats.get(key) ?? 0;
    this.#repeats.set(key, repeats + 1);
    const asked: Asked = { ...question, nth: this.asked.length, repeats };
    this.asked.push(asked);
    return this.#script(asked);
  }

  async #work(customId: string, params: unknown): Promise<BatchOutcome> {
    const errored = (type: string, message: string): BatchOutcome => ({
      type: "errored",
      error: { type: "error", error: { type, message }, request_id: "req_scripted" },
    });
    try {
      const request = parseMessagesRequest(params);
      const reply = await this.#ask(questionOf(request, customId));
      if (reply.kind === "expired" || reply.kind === "canceled") return { type: reply.kind };
      if (reply.kind === "status") return errored(reply.type, reply.message);
      if (reply.kind !== "answer") throw new Error(`In a batch no request can end as ${reply.kind}`);
      const options = { id: this.#id(), seen: this.#seen, tier: "batch" as const };
      return { type: "succeeded", message: messageOf(request, reply, options) };
    } catch (error) {
      if (error instanceof InvalidRequest) return errored("invalid_request_error", error.message);
      throw error;
    }
  }

  #id(): string {
    this.#made += 1;
    return String(this.#made).padStart(6, "0");
  }
}
