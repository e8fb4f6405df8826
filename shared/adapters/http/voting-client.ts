import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { VotePage, VotingService } from "../../ports/voting-service.ts";
import type { Pair } from "../../votes/vote.ts";
import { backOffMs } from "./back-off.ts";
import { retryAfterMs } from "./retry-after.ts";

/** The voting service did not do what was asked, or its address cannot be right. Never quotes what it answered. */
export class VotingServiceError extends Error {
  override readonly name = "VotingServiceError";
  /** Status of the answer, where there was one. */
  readonly status: number | undefined;
  constructor(message: string, options: ErrorOptions & { readonly status?: number } = {}) {
    super(message, options);
    this.status = options.status;
  }
}

export interface VotingClientOptions {
  /** Its address; `/pairs` and `/votes` stand below it. */
  readonly url: string;
  /** Sent as a bearer token. */
  readonly token?: string;
  /** Of one request, until the last byte of its answer. */
  readonly timeoutMs?: number;
  readonly tries?: number;
  /** Longest wait before the second try; doubles with each further one. */
  readonly delayMs?: number;
  /** Longest wait that a `Retry-After` may ask for; a longer one ends the command. */
  readonly longestWaitMs?: number;
  readonly maxAnswerBytes?: number;
}

/** Of its own accord it waits no longer. */
const LONGEST_DELAY_MS = 20_000;
const BATCH_PAIRS = 100;
const BATCH_BYTES = 4 << 20;

const pageSchema = z.object({ votes: z.array(z.unknown()), next: z.string().max(4096).nullable() });

/** The HTTP contract of docs/VOTES.md, from the side that asks. */
export class VotingClient implements VotingService {
  readonly #base: URL;
  readonly #options: Required<Omit<VotingClientOptions, "url" | "token">>;
  readonly #headers: Readonly<Record<string, string>>;

  /** @throws VotingServiceError where the address will not do */
  constructor({ url, token, ...options }: VotingClientOptions) {
    this.#base = baseOf(url, token !== undefined);
    this.#headers = {
      accept: "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    this.#options = {
      timeoutMs: 30_000,
      tries: 5,
      delayMs: 500,
      longestWaitMs: 120_000,
      maxAnswerBytes: 16 << 20,
      ...options,
    };
  }

  /** @throws VotingServiceError */
  async push(pairs: readonly Pair[]): Promise<void> {
    for (const body of batches(pairs)) {
      await this.#asked({ method: "POST", path: "pairs", body });
    }
  }

  /** @throws VotingServiceError */
  async *votes(since: string | undefined): AsyncIterable<VotePage> {
    let cursor = since;
    for (;;) {
      const path = cursor === undefined ? "votes" : `votes?since=${encodeURIComponent(cursor)}`;
      const page = this.#page(await this.#asked({ method: "GET", path }));
      yield page;
      if (page.votes.length === 0 || page.next === null) return;
      if (page.next === cursor) {
        throw new VotingServiceError(
          `${this.#base.href}votes gave votes and the same cursor again, which would never end; mend the service`,
        );
      }
      cursor = page.next;
    }
  }

  #page(text: string): VotePage {
    const fault = (cause: unknown): VotingServiceError =>
      new VotingServiceError(
        `${this.#base.href}votes did not answer {votes, next} in JSON; see docs/VOTES.md`,
        {
          cause,
        },
      );
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw fault(cause);
    }
    const result = pageSchema.safeParse(value);
    if (!result.success) throw fault(result.error);
    return result.data;
  }

  /** The answer's text, after as many tries as it takes and there are. */
  async #asked(request: Request): Promise<string> {
    const { tries, delayMs, longestWaitMs } = this.#options;
    for (let failures = 1; ; failures += 1) {
      const answer = await this.#once(request);
      if (answer.kind === "done") return answer.text;
      const { fault, waitMs, passes } = answer;
      if (!passes || failures >= tries) throw fault;
      if (waitMs > longestWaitMs) {
        const seconds = Math.ceil(waitMs / 1000);
        throw new VotingServiceError(
          `${this.#base.href} asks to wait for ${seconds} seconds; run the command again then`,
          {
            cause: fault,
          },
        );
      }
      const limits = { baseDelayMs: delayMs, longestDelayMs: LONGEST_DELAY_MS };
      const own = backOffMs(limits, { failures, retryAfterMs: null, random: Math.random() });
      await sleep(Math.max(own, waitMs));
    }
  }

  async #once({ method, path, body }: Request): Promise<Answer> {
    const url = new URL(path, this.#base);
    const named = `${method} ${url.origin}${url.pathname}`;
    try {
      const response = await fetch(url, {
        method,
        headers: { ...this.#headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
        // A token must not follow to wherever a redirection points.
        redirect: "manual",
        signal: AbortSignal.timeout(this.#options.timeoutMs),
        ...(body === undefined ? {} : { body }),
      });
      if (response.ok) {
        const text = await textOf(response, this.#options.maxAnswerBytes);
        if (text !== undefined) return { kind: "done", text };
        const fault = new VotingServiceError(
          `${named} answered more than ${this.#options.maxAnswerBytes} bytes; let the service give smaller pages`,
        );
        return { kind: "failed", fault, waitMs: 0, passes: false };
      }
      await response.body?.cancel();
      const { status } = response;
      return {
        kind: "failed",
        fault: new VotingServiceError(`${named} was answered with status ${status}; ${remedy(status)}`, {
          status,
        }),
        waitMs: retryAfterMs(response.headers, Date.now()) ?? 0,
        passes: status === 429 || status >= 500,
      };
    } catch (cause) {
      const why = reasonOf(cause);
      const fault = new VotingServiceError(
        `${named} got no answer: ${why}; check the address, or try again later`,
        {
          cause,
        },
      );
      return { kind: "failed", fault, waitMs: 0, passes: true };
    }
  }
}

interface Request {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: string;
}

type Answer =
  | { readonly kind: "done"; readonly text: string }
  | {
      readonly kind: "failed";
      readonly fault: VotingServiceError;
      readonly waitMs: number;
      /** It may go better next time. */
      readonly passes: boolean;
    };

function baseOf(text: string, hasToken: boolean): URL {
  const remedyText = "give an address such as https://votes.example.org/api";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new VotingServiceError(`"${text}" is no HTTP address; ${remedyText}`);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new VotingServiceError(
      `the address of a voting service has no user, query or fragment; ${remedyText}`,
    );
  }
  const isLocal = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (hasToken && url.protocol === "http:" && !isLocal) {
    throw new VotingServiceError(`${url.origin} would get the token unencrypted; ${remedyText}`);
  }
  return new URL(url.href.endsWith("/") ? url.href : `${url.href}/`);
}

/** Requests of at most 100 pairs and, where a single pair does not exceed that, 4 MiB. */
function* batches(pairs: readonly Pair[]): Generator<string> {
  const wrapped = (parts: readonly string[]): string =>
    `{"schema":"gymline.pairs.v1","pairs":[${parts.join(",")}]}`;
  let parts: string[] = [];
  let bytes = 0;
  for (const pair of pairs) {
    const part = JSON.stringify(pair);
    const size = Buffer.byteLength(part);
    if (parts.length === BATCH_PAIRS || (parts.length > 0 && bytes + size > BATCH_BYTES)) {
      yield wrapped(parts);
      [parts, bytes] = [[], 0];
    }
    parts.push(part);
    bytes += size;
  }
  if (parts.length > 0) yield wrapped(parts);
}

/** undefined: it is longer than that. */
async function textOf(response: Response, longest: number): Promise<string | undefined> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  if (response.body === null) return "";
  for await (const piece of response.body) {
    bytes += piece.length;
    if (bytes > longest) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

function remedy(status: number): string {
  if (status === 401 || status === 403) return "check the token (GYMLINE_VOTES_TOKEN)";
  if (status === 404 || status === 405) return "check the address: the service must follow docs/VOTES.md";
  if (status === 413) return "the service takes less at once than docs/VOTES.md asks for; let it take 4 MiB";
  if (status === 429 || status >= 500) return "try again later";
  if (status >= 300 && status < 400) return "give the address that it redirects to";
  return "the service must follow docs/VOTES.md";
}

function reasonOf(cause: unknown): string {
  if (cause instanceof Error && cause.name === "TimeoutError") return "it took too long";
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  if (inner instanceof Error && "code" in inner) return String(inner.code);
  return inner instanceof Error ? inner.message : "unknown fault";
}
