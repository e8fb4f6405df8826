/** Why the scripted model stopped. `filtered` differs from `refusal` at the OpenAI format only. */
export type ScriptedStop = "end" | "stop_sequence" | "tool_use" | "length" | "refusal" | "filtered" | "pause";

/** Tokens that stand in the place of those the server counts (characters / 4, the prefix cached as it was seen). */
export interface ScriptedUsage {
  readonly input?: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  readonly output?: number;
}

export interface AnswerReply {
  readonly kind: "answer";
  readonly text: string;
  readonly stop: ScriptedStop;
  readonly usage: ScriptedUsage;
  /** Milliseconds before the answer starts. */
  readonly delayMs: number;
  readonly calls: readonly ScriptedCall[];
  /** Shown thinking; null: none. */
  readonly thinking: string | null;
  /** Token ids and log-probs, sent where the request asks for them (vLLM). */
  readonly tokens: ScriptedTokens | null;
}

/** `arguments`: the text that stands in OpenAI's format in the place of the input's JSON. */
export interface ScriptedCall {
  readonly name: string;
  readonly input?: unknown;
  readonly arguments?: string;
  /** Default: one that no other call has. */
  readonly id?: string;
}

export interface ScriptedTokens {
  readonly prompt: readonly number[];
  readonly completion: readonly number[];
  readonly logprobs: readonly number[];
}

/**
 * `status`: an error as the provider words it. `stall`: headers and the first half of a good answer, then nothing.
 * `silence`: the connection stays open, without even headers. `cut`: the connection ends in the middle of the body.
 * `reset`: it ends before headers. `malformed`: status 200 with a body that is no JSON. `misshapen`: JSON, but no
 * answer of that provider.
 */
export type Fault =
  | {
      readonly kind: "status";
      readonly status: number;
      readonly type: string;
      readonly message: string;
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly kind: "stall" | "silence" | "cut" | "reset" | "malformed" | "misshapen" };

/** In a batch a request may also end without a word of the model. */
export type Reply = AnswerReply | Fault | { readonly kind: "expired" | "canceled" };

/** A string is sent as it is, anything else as its JSON. Longer than the request's limit of tokens, it is cut there. */
export function answer(
  content: unknown,
  options: {
    readonly stop?: ScriptedStop;
    readonly usage?: ScriptedUsage;
    readonly delayMs?: number;
    readonly calls?: readonly ScriptedCall[];
    readonly thinking?: string;
    readonly tokens?: ScriptedTokens;
  } = {},
): AnswerReply {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return {
    kind: "answer",
    text,
    stop: options.stop ?? (options.calls === undefined ? "end" : "tool_use"),
    usage: options.usage ?? {},
    delayMs: options.delayMs ?? 0,
    calls: options.calls ?? [],
    thinking: options.thinking ?? null,
    tokens: options.tokens ?? null,
  };
}

/** The model calls tools, and may say something before. */
export function calling(...calls: readonly ScriptedCall[]): AnswerReply {
  return answer("", { calls });
}

/** The model declines. */
export function refusal(text = "I cannot help with that."): AnswerReply {
  return answer(text, { stop: "refusal" });
}

/** Type of error that Anthropic gives with a status. */
const TYPES: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  409: "conflict_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};

/** `retryAfter`: seconds, or a date as HTTP writes it. */
export function status(
  code: number,
  options: {
    readonly retryAfter?: number | string;
    readonly retryAfterMs?: number;
    readonly type?: string;
    readonly message?: string;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Fault {
  return {
    kind: "status",
    status: code,
    type: options.type ?? TYPES[code] ?? "api_error",
    message: options.message ?? "scripted",
    headers: {
      ...options.headers,
      ...(options.retryAfter === undefined ? {} : { "retry-after": String(options.retryAfter) }),
      ...(options.retryAfterMs === undefined ? {} : { "retry-after-ms": String(options.retryAfterMs) }),
    },
  };
}

export function fault(kind: Exclude<Fault["kind"], "status">): Fault {
  return { kind };
}

/** Only in a batch. */
export function unfinished(kind: "expired" | "canceled"): Reply {
  return { kind };
}
