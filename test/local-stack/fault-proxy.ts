import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { createRandom, type Random } from "../fuzz/random.ts";
import { type ThinnedBatch, thinBatch } from "./fail-entries.ts";
import { type SeenRequest, seenRequest } from "./seen-request.ts";

export type Fault =
  /** An error in place of an answer, such as 503 `SlowDown`; the engine does not see the request. */
  | { readonly kind: "error"; readonly status: number; readonly code: string }
  /** The connection ends after so many bytes of the answer's body. */
  | { readonly kind: "cut-answer"; readonly afterBytes: number }
  /** The connection ends after so many bytes of the request's body; the engine does not see it. */
  | { readonly kind: "cut-request"; readonly afterBytes: number }
  /** The engine does what is asked, and the connection ends without an answer. */
  | { readonly kind: "lose-answer" }
  | { readonly kind: "delay"; readonly ms: number }
  /** There is no answer, and the connection stays open. */
  | { readonly kind: "hang" }
  /** Single entries of SendMessageBatch and PutEvents fail, each with the chance `share`. */
  | { readonly kind: "fail-entries"; readonly share: number; readonly senderFault?: boolean };

export interface FaultRule {
  /** Signing name of the service, such as `s3`, `sqs`, `events`, `dynamodb`; without it, of all. */
  readonly service?: string;
  /** Name of the operation, such as `GetObject`; without it, all of the service. */
  readonly operation?: string | RegExp;
  readonly fault: Fault;
  /** Part of the requests that it befalls, 0 to 1; without it, all. */
  readonly chance?: number;
  /** How many requests it befalls at the most. */
  readonly times?: number;
}

export interface FaultProxy {
  /** For clients, in place of the engine's. */
  readonly endpoint: string;
  /** The first rule that a request meets is the one that befalls it. May be called at any time. */
  setRules(rules: readonly FaultRule[]): void;
  /** How many requests there were, by `service operation`. */
  readonly requests: ReadonlyMap<string, number>;
  /** How often each fault struck, by its kind; of `fail-entries`, how many entries. */
  readonly struck: ReadonlyMap<Fault["kind"], number>;
  stop(): Promise<void>;
}

/** A proxy on loopback that passes requests on to an engine and does to them what its rules say. */
export async function startFaultProxy(options: {
  /** URL of the engine. */
  readonly target: string;
  /** Of all chances; requests that come at the same time may still change places. */
  readonly seed: number;
  readonly rules?: readonly FaultRule[];
}): Promise<FaultProxy> {
  const proxy = new EngineProxy(options.target, createRandom(options.seed, 0));
  proxy.setRules(options.rules ?? []);
  await proxy.start();
  return proxy;
}

interface Exchange {
  readonly seen: SeenRequest;
  /** A request loses sight of its socket when it ends early. */
  readonly socket: Socket;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: IncomingMessage;
}

class EngineProxy implements FaultProxy {
  readonly requests = new Map<string, number>();
  readonly struck = new Map<Fault["kind"], number>();
  readonly #target: URL;
  readonly #random: Random;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server = createServer({ keepAliveTimeout: 30_000 }, (incoming, outgoing) => {
    const { socket } = incoming;
    // The client left, or the engine did: to the other side it looks the same.
    this.#handle({ seen: seenRequest(incoming), socket, incoming, outgoing }).catch(() => socket.destroy());
  });
  #rules: { readonly rule: FaultRule; left: number }[] = [];

  constructor(target: string, random: Random) {
    this.#target = new URL(target);
    this.#random = random;
  }

  get endpoint(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy does not listen");
    return `http://127.0.0.1:${address.port}`;
  }

  async start(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  setRules(rules: readonly FaultRule[]): void {
    this.#rules = rules.map((rule) => ({ rule, left: rule.times ?? Number.POSITIVE_INFINITY }));
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await closed;
  }

  async #handle(exchange: Exchange): Promise<void> {
    const { seen, socket, incoming, outgoing } = exchange;
    count(this.requests, `${seen.service} ${seen.operation}`, 1);
    const fault = this.#faultOf(seen);
    if (fault?.kind === "cut-request") {
      await readSome(incoming, fault.afterBytes);
      socket.destroy();
      return;
    }
    const body = await buffer(incoming);
    if (fault?.kind === "error") {
      answerError(seen, fault, outgoing);
      return;
    }
    if (fault?.kind === "hang") return;
    if (fault?.kind === "fail-entries") {
      await this.#passThinned(exchange, body, fault);
      return;
    }
    if (fault?.kind === "delay") await sleep(fault.ms);
    const answer = await this.#pass(incoming, body);
    if (fault?.kind === "lose-answer") {
      await buffer(answer.body);
      socket.destroy();
      return;
    }
    outgoing.writeHead(answer.status, answer.headers);
    if (fault?.kind === "cut-answer") await cutAnswer(answer.body, outgoing, fault.afterBytes);
    else answer.body.pipe(outgoing);
  }

  async #passThinned(
    { seen, incoming, outgoing }: Exchange,
    body: Buffer,
    { share, senderFault = false }: Fault & { readonly kind: "fail-entries" },
  ): Promise<void> {
    const fails = (): boolean => this.#random.chance(share);
    const thinned: ThinnedBatch = thinBatch({ operation: seen.operation, body, fails, senderFault });
    count(this.struck, "fail-entries", thinned.failed);
    const answer = thinned.body === undefined ? undefined : await this.#pass(incoming, thinned.body);
    const passedOn = answer === undefined ? undefined : await buffer(answer.body);
    const status = answer?.status ?? 200;
    const result = status === 200 ? thinned.answer(passedOn) : (passedOn ?? Buffer.alloc(0));
    const type = incoming.headers["content-type"] ?? "application/json";
    outgoing.writeHead(status, { "content-type": type, "content-length": result.length }).end(result);
  }

  #faultOf(seen: SeenRequest): Fault | undefined {
    for (const entry of this.#rules) {
      const { service, operation, chance = 1, fault } = entry.rule;
      if (entry.left <= 0 || (service !== undefined && service !== seen.service)) continue;
      if (operation !== undefined && !meets(operation, seen.operation)) continue;
      if (!this.#random.chance(chance)) continue;
      entry.left -= 1;
      if (fault.kind !== "fail-entries") count(this.struck, fault.kind, 1);
      return fault;
    }
    return undefined;
  }

  async #pass(incoming: IncomingMessage, body: Buffer): Promise<Answer> {
    // The body is sent whole and at once: nothing is left of how the client meant to send it.
    const { "transfer-encoding": _, expect: __, ...headers } = incoming.headers;
    const upstream = request(new URL(incoming.url ?? "/", this.#target), {
      agent: this.#agent,
      method: incoming.method ?? "GET",
      headers: { ...headers, host: this.#target.host, "content-length": body.length },
    });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      upstream.once("response", resolve);
      upstream.once("error", reject);
    });
    upstream.end(body);
    const response = await answered;
    return { status: response.statusCode ?? 502, headers: response.headers, body: response };
  }
}

function meets(wanted: string | RegExp, operation: string): boolean {
  return typeof wanted === "string" ? wanted === operation : wanted.test(operation);
}

function count<K>(counts: Map<K, number>, key: K, more: number): void {
  counts.set(key, (counts.get(key) ?? 0) + more);
}

async function readSome(incoming: IncomingMessage, bytes: number): Promise<void> {
  let read = 0;
  for await (const chunk of incoming) {
    if (Buffer.isBuffer(chunk)) read += chunk.length;
    if (read >= bytes) return;
  }
}

async function cutAnswer(body: IncomingMessage, outgoing: ServerResponse, bytes: number): Promise<void> {
  const whole = await buffer(body);
  // Only once the kernel has them can the client be sure to see these bytes before the end.
  await new Promise<void>((resolve) => outgoing.write(whole.subarray(0, bytes), () => resolve()));
  outgoing.destroy();
}

function answerError(
  { service }: SeenRequest,
  { status, code }: Fault & { readonly kind: "error" },
  outgoing: ServerResponse,
): void {
  if (service === "s3") {
    const xml = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>made to fail</Message></Error>`;
    outgoing.writeHead(status, { "content-type": "application/xml" }).end(xml);
    return;
  }
  outgoing.writeHead(status, { "content-type": "application/x-amz-json-1.1", "x-amzn-errortype": code });
  outgoing.end(JSON.stringify({ __type: code, message: "made to fail" }));
}
