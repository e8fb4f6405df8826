import type Anthropic from "@anthropic-ai/sdk";
import { z } from "zod";
import {
  type BatchResult,
  type BatchState,
  type ChatBatches,
  ChatModelError,
  type ChatRequest,
} from "../../ports/chat-model.ts";
import { anthropicAnswer } from "./anthropic-answer.ts";
import { type AnthropicStructured, messageParams } from "./anthropic-request.ts";
import { type CallPolicy, describe, inTime } from "./call-policy.ts";
import { fieldOf, MisshapenAnswer, type ProviderFault } from "./provider-fault.ts";

const count = z.int().nonnegative();

const batch = z.object({
  id: z.string(),
  processing_status: z.enum(["in_progress", "canceling", "ended"]),
  created_at: z.iso.datetime({ offset: true }),
  request_counts: z.object({
    processing: count,
    succeeded: count,
    errored: count,
    canceled: count,
    expired: count,
  }),
  results_url: z.string().nullable(),
});

const line = z.object({
  custom_id: z.string(),
  result: z.discriminatedUnion("type", [
    z.object({ type: z.literal("succeeded"), message: z.unknown().optional() }),
    z.object({
      type: z.literal("errored"),
      error: z.object({ error: z.object({ type: z.string(), message: z.string().optional() }) }),
    }),
    z.object({ type: z.literal("canceled") }),
    z.object({ type: z.literal("expired") }),
  ]),
});
type Result = z.infer<typeof line>["result"];

/** The request itself is at fault. */
const PERMANENT = new Set(["invalid_request_error", "request_too_large", "not_found_error"]);

/** Anthropic's Message Batches: half the price, done within 24 hours, results kept for 29 days. */
export class AnthropicBatches implements ChatBatches {
  readonly maxRequests = 100_000;
  readonly maxBytes = 256_000_000;
  readonly #client: Anthropic;
  readonly #policy: CallPolicy;
  readonly #model: string;
  readonly #structured: AnthropicStructured;

  constructor(options: {
    readonly client: Anthropic;
    readonly policy: CallPolicy;
    readonly model: string;
    readonly structured: AnthropicStructured;
  }) {
    this.#client = options.client;
    this.#policy = options.policy;
    this.#model = options.model;
    this.#structured = options.structured;
  }

  /**
   * A batch costs money, so it is sent again only where the provider surely made none. Where that is not known the
   * error says so, and `list` tells.
   */
  async submit(requests: readonly { readonly id: string; readonly request: ChatRequest }[]): Promise<string> {
    const how = { model: this.#model, structured: this.#structured };
    const entries = requests.map(({ id, request }) => ({
      custom_id: id,
      params: messageParams(how, request),
    }));
    this.#check(entries);
    let doubtful = false;
    const repeats = (fault: ProviderFault) => {
      doubtful = !fault.undone;
      return fault.undone;
    };
    try {
      return await this.#policy.run(
        async (signal) =>
          read(await this.#client.messages.batches.create({ requests: entries }, { signal })).id,
        { repeats },
      );
    } catch (error) {
      if (!doubtful || !(error instanceof ChatModelError)) throw error;
      throw new ChatModelError(
        `${error.message}; the batch may have been made all the same: look for it among the newest before it is sent again`,
        { permanent: false, status: error.status, cause: error },
      );
    }
  }

  async state(batchId: string): Promise<BatchState> {
    return this.#policy.run(async (signal) =>
      stateOf(read(await this.#client.messages.batches.retrieve(batchId, {}, { signal }))),
    );
  }

  async cancel(batchId: string): Promise<void> {
    await this.#policy.run(async (signal) => this.#client.messages.batches.cancel(batchId, {}, { signal }));
  }

  async *list(): AsyncGenerator<BatchState> {
    for (let after: string | null = null, more = true; more; ) {
      const query = { limit: 100, ...(after === null ? {} : { after_id: after }) };
      const page = await this.#policy.run(async (signal) => {
        const { data, has_more } = await this.#client.messages.batches.list(query, { signal });
        if (!Array.isArray(data)) throw new MisshapenAnswer("a page of batches");
        return { states: data.map((each) => stateOf(read(each))), more: has_more === true };
      });
      yield* page.states;
      after = page.states.at(-1)?.id ?? null;
      more = page.more && after !== null;
    }
  }

  /** A stream that breaks off is opened anew, and what came before is passed over. */
  async *results(batchId: string): AsyncGenerator<BatchResult> {
    const seen = new Set<string>();
    for (let failures = 0; ; ) {
      try {
        for await (const result of this.#stream(batchId)) {
          if (seen.has(result.id)) continue;
          seen.add(result.id);
          failures = 0;
          yield result;
        }
        return;
      } catch (error) {
        // What the policy gave up on, and what a consumer threw into the loop, is not for another try.
        if (!(error instanceof BrokenStream)) throw error;
        failures += 1;
        await this.#policy.backOff(this.#policy.faultOf(error.cause), failures);
      }
    }
  }

  async *#stream(batchId: string): AsyncGenerator<BatchResult> {
    const stopper = new AbortController();
    const lines = (await this.#open(batchId, stopper))[Symbol.asyncIterator]();
    try {
      for (;;) {
        // Only the provider's silence counts, not the time the consumer takes.
        const next = await inTime(() => lines.next(), {
          ms: this.#policy.limits.timeoutMs,
          signal: undefined,
        }).catch((error: unknown) => {
          throw new BrokenStream(error);
        });
        if (next.done === true) return;
        yield this.#resultOf(next.value);
      }
    } finally {
      stopper.abort();
    }
  }

  async #open(batchId: string, stopper: AbortController): Promise<AsyncIterable<unknown>> {
    const found = await this.#policy.run(async (signal) =>
      read(await this.#client.messages.batches.retrieve(batchId, {}, { signal })),
    );
    if (found.results_url === null) {
      const message = `anthropic ${this.#model}: batch ${batchId} has no results yet; wait until it has ended`;
      throw new ChatModelError(message, { permanent: false });
    }
    return this.#policy.run(async (signal) => {
      // The stream outlives this call, so it gets a signal of its own, which this call's signal stops meanwhile.
      const stop = () => stopper.abort();
      signal.addEventListener("abort", stop, { once: true });
      try {
        return await this.#client.messages.batches.results(batchId, {}, { signal: stopper.signal });
      } finally {
        signal.removeEventListener("abort", stop);
      }
    });
  }

  #resultOf(value: unknown): BatchResult {
    const parsed = line.safeParse(value);
    if (!parsed.success) throw new BrokenStream(new MisshapenAnswer("a result of a batch", parsed.error));
    const { custom_id: id, result } = parsed.data;
    if (result.type !== "succeeded") {
      const permanent = result.type === "errored" && PERMANENT.has(result.error.error.type);
      return { id, kind: "error", message: `anthropic ${this.#model}: ${wording(result)}`, permanent };
    }
    try {
      return { id, kind: "answer", answer: anthropicAnswer(result.message, this.#structured) };
    } catch (error) {
      if (!(error instanceof MisshapenAnswer)) throw error;
      const message = `anthropic ${this.#model}: an answer that cannot be read`;
      return { id, kind: "error", message, permanent: false };
    }
  }

  /** @throws ChatModelError for a batch that the provider would refuse as a whole */
  #check(entries: readonly { readonly custom_id: string; readonly params: unknown }[]): void {
    const refuse = (what: string) => {
      throw new ChatModelError(`anthropic ${this.#model}: ${what}`, { permanent: true });
    };
    if (entries.length === 0) refuse("a batch needs at least one request");
    if (entries.length > this.maxRequests) {
      refuse(`a batch of ${entries.length} requests; split it into batches of at most ${this.maxRequests}`);
    }
    const ids = new Set<string>();
    let bytes = 0;
    for (const entry of entries) {
      const id = entry.custom_id;
      if (!/^[a-zA-Z0-9_-]{1,64}$/.test(id)) {
        refuse(
          `the id ${JSON.stringify(id.slice(0, 80))} of a request in a batch; give 1 to 64 letters, digits, _ and -`,
        );
      }
      if (ids.has(id)) refuse(`the id ${id} stands twice in a batch; give each request its own`);
      ids.add(id);
      bytes += Buffer.byteLength(JSON.stringify(entry)) + 1;
    }
    if (bytes > this.maxBytes) {
      refuse(`a batch of ${bytes} bytes; split it into batches of at most ${this.maxBytes} bytes`);
    }
  }
}

/** Carries what broke a stream of results past a consumer's own errors. */
class BrokenStream extends Error {
  override readonly name = "BrokenStream";
  constructor(cause: unknown) {
    super("The results broke off", { cause });
  }
}

function wording(result: Exclude<Result, { readonly type: "succeeded" }>): string {
  if (result.type === "canceled") return "the batch was cancelled before this request's turn";
  if (result.type === "expired") return "the batch expired before this request's turn";
  const { type, message } = result.error.error;
  return describe({
    ...{ status: null, requestId: null, passes: false, undone: true, retryAfterMs: null, cause: null },
    overflow: false,
    type: /^\w{1,100}$/.test(type) ? type : "error without a type",
    field: fieldOf(message),
  });
}

function read(body: unknown): z.infer<typeof batch> {
  const parsed = batch.safeParse(body);
  if (!parsed.success) throw new MisshapenAnswer("a batch", parsed.error);
  return parsed.data;
}

function stateOf({ id, processing_status, created_at, request_counts }: z.infer<typeof batch>): BatchState {
  return {
    id,
    ended: processing_status === "ended",
    createdAt: Date.parse(created_at),
    counts: request_counts,
  };
}
