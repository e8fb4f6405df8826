/** What one call used, in tokens. `input` counts neither cache reads nor cache writes. */
export interface TokenUsage {
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly output: number;
}

/** One question to a model. `system` comes first and is the same for many calls, so providers may cache it. */
export interface ChatRequest {
  readonly system: string;
  readonly messages: readonly ChatTurn[];
  /** The answer must be JSON of this JSON Schema. */
  readonly schema?: { readonly name: string; readonly schema: Readonly<Record<string, unknown>> };
  /** Most tokens of the answer. */
  readonly maxTokens: number;
  /** Left to the provider where it is absent; some models take none. */
  readonly temperature?: number;
}

export interface ChatTurn {
  readonly role: "user" | "assistant";
  readonly content: string;
}

/** `length`: the answer was cut at `maxTokens`. `refusal`: the model or the provider declined. */
export type StopReason = "end" | "length" | "refusal" | "other";

export interface ChatAnswer {
  readonly text: string;
  readonly stop: StopReason;
  readonly usage: TokenUsage;
  /** As the provider names it. */
  readonly model: string;
}

/**
 * A call that gave no answer. `permanent`: the same call would fail again (4xx other than 408, 409 and 429), so it was
 * not retried; otherwise all tries were used up.
 */
export class ChatModelError extends Error {
  override readonly name = "ChatModelError";
  readonly permanent: boolean;
  readonly status: number | null;
  /** The prompt is longer than the model takes. */
  readonly overflow: boolean;
  constructor(
    message: string,
    options: ErrorOptions & {
      readonly permanent: boolean;
      readonly status?: number | null;
      readonly overflow?: boolean;
    },
  ) {
    super(message, options);
    this.permanent = options.permanent;
    this.status = options.status ?? null;
    this.overflow = options.overflow ?? false;
  }
}

/** A chat model at a provider. Retries, their waits and the limit on calls at a time are the adapter's own affair. */
export interface ChatModel {
  readonly provider: "anthropic" | "openai-compatible";
  readonly model: string;
  /** @throws ChatModelError */
  complete(request: ChatRequest, signal?: AbortSignal): Promise<ChatAnswer>;
  /** Where the provider takes many requests at once, at a lower price and within a day. */
  readonly batches?: ChatBatches;
}

export interface BatchState {
  readonly id: string;
  readonly ended: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly counts: {
    readonly processing: number;
    readonly succeeded: number;
    readonly errored: number;
    readonly canceled: number;
    readonly expired: number;
  };
}

/** Results come in any order; `id` is the one given with the request. */
export type BatchResult =
  | { readonly id: string; readonly kind: "answer"; readonly answer: ChatAnswer }
  /** `permanent`: the request itself is at fault; else it may be sent again. */
  | { readonly id: string; readonly kind: "error"; readonly message: string; readonly permanent: boolean };

/** All methods: @throws ChatModelError */
export interface ChatBatches {
  readonly maxRequests: number;
  readonly maxBytes: number;
  /** Ids: 1 to 64 letters, digits, `_` and `-`, unique in the batch. Gives the provider's id of the batch. */
  submit(requests: readonly { readonly id: string; readonly request: ChatRequest }[]): Promise<string>;
  state(batchId: string): Promise<BatchState>;
  results(batchId: string): AsyncIterable<BatchResult>;
  cancel(batchId: string): Promise<void>;
  /** The newest first. */
  list(): AsyncIterable<BatchState>;
}
