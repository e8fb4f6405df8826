import type { z } from "zod";
import { retryAfterMs } from "../http/retry-after.ts";

/** Why a try failed, in terms that hold nothing of the prompt or the answer. */
export interface ProviderFault {
  /** HTTP status; null where no answer came. */
  readonly status: number | null;
  /** As the provider names it, or in our words where it said nothing. */
  readonly type: string;
  /** The part of the request it is about, where the provider says so. */
  readonly field: string | null;
  readonly requestId: string | null;
  /** The same call may succeed later. */
  readonly passes: boolean;
  /** The provider did surely not do what it was asked, so that nothing happens twice when it is asked again. */
  readonly undone: boolean;
  /** Milliseconds it asks to wait. */
  readonly retryAfterMs: number | null;
  /** The prompt is longer than the model takes. */
  readonly overflow: boolean;
  /** Only where its message can quote nothing of the call. */
  readonly cause: unknown;
}

/** No answer came in time. */
export class CallTimeout extends Error {
  override readonly name = "CallTimeout";
  constructor(ms: number) {
    super(`No answer within ${ms / 1000} s`);
  }
}

/** An answer with status 200 that is not what the provider documents. */
export class MisshapenAnswer extends Error {
  override readonly name = "MisshapenAnswer";
  /** Where it differs. */
  readonly place: string | null;
  constructor(what: string, error?: z.ZodError) {
    super(`The provider's answer is not ${what} as its documentation has it`);
    this.place = error?.issues[0]?.path.join(".") || null;
  }
}

const PASSING = new Set([408, 409, 429]);

/** Types that come with status 429 although waiting does not help: the account has nothing left to spend. */
const SPENT = new Set([
  "insufficient_quota",
  "exceeded_current_quota_error",
  "contract_spend_limit_reached",
  "enforced_spend_limit_reached",
]);

/** Codes of Node for a connection that never came about. */
const UNREACHED = new Set([
  ...["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"],
  "UND_ERR_CONNECT_TIMEOUT",
]);

const CONNECTION = new Set([
  ...UNREACHED,
  ...["ECONNRESET", "ECONNABORTED", "EPIPE", "ETIMEDOUT"],
  ...["UND_ERR_SOCKET", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"],
]);

/** Codes of OpenSSL and Node; trying again does not change a certificate. */
const CERTIFICATE = /CERT|SELF_SIGNED|^UNABLE_TO_|^ERR_TLS_/;

const NOTHING = {
  ...{ status: null, field: null, requestId: null, undone: false, retryAfterMs: null, overflow: false },
} as const;

/** Reads what the clients of both providers throw. `now`: milliseconds since the epoch. */
export function faultOf(error: unknown, now: number): ProviderFault {
  if (hasStatus(error)) return statusFault(error, now);
  if (error instanceof CallTimeout) {
    return { ...NOTHING, type: "no answer in time", passes: true, cause: error };
  }
  // The message of a SyntaxError quotes what it could not read, so it does not become a cause.
  if (error instanceof SyntaxError || error instanceof MisshapenAnswer) {
    const field = error instanceof MisshapenAnswer ? error.place : null;
    return { ...NOTHING, type: "an answer that cannot be read", field, passes: true, cause: null };
  }
  const code = connectionCode(error);
  if (code !== null && CERTIFICATE.test(code)) {
    return { ...NOTHING, type: `certificate refused (${code})`, undone: true, passes: false, cause: error };
  }
  if (code !== null) {
    const undone = UNREACHED.has(code);
    return { ...NOTHING, type: `connection failed (${code})`, undone, passes: true, cause: error };
  }
  return { ...NOTHING, type: "unexpected failure", passes: false, cause: error };
}

interface StatusError {
  readonly status: number;
  readonly headers: Headers;
  readonly type?: unknown;
  readonly code?: unknown;
  readonly errorCode?: unknown;
  readonly param?: unknown;
  readonly apiMessage?: unknown;
  readonly requestID?: unknown;
}

function hasStatus(error: unknown): error is StatusError & Error {
  if (!(error instanceof Error) || !("status" in error) || !("headers" in error)) return false;
  return typeof error.status === "number" && error.headers instanceof Headers;
}

function statusFault(error: StatusError & Error, now: number): ProviderFault {
  const { status } = error;
  const spent = [error.code, error.errorCode, error.type].some((each) => SPENT.has(String(each)));
  return {
    status,
    type: named(error.errorCode) ?? named(error.code) ?? named(error.type) ?? "error without a type",
    field: named(error.param) ?? fieldOf(error.apiMessage),
    requestId: named(error.requestID),
    passes: !spent && (PASSING.has(status) || status >= 500),
    undone: status < 500 || status === 503 || status === 529,
    retryAfterMs: retryAfterMs(error.headers, now),
    overflow: isOverflow(error),
    // Providers quote the request in their messages.
    cause: null,
  };
}

/** How Anthropic, OpenAI, vLLM and llama.cpp say that a prompt is too long. */
const TOO_LONG =
  /prompt is too long|exceed(?:s|ed)? (?:the )?(?:available )?context|maximum context length|context window/i;

function isOverflow({ status, code, message }: StatusError & Error): boolean {
  if (status === 413 || code === "context_length_exceeded") return true;
  return status === 400 && TOO_LONG.test(message);
}

/** A name in a provider's answer; anything longer or with spaces in it could be text of the call. */
function named(value: unknown): string | null {
  return typeof value === "string" && /^[\w.[\]-]{1,100}$/.test(value) ? value : null;
}

const PARAMETERS = new Set([
  ...["model", "max_tokens", "messages", "system", "temperature", "tools", "tool_choice"],
  ...["output_config", "cache_control", "requests", "thinking"],
]);

/** Anthropic starts the message with the path of what is wrong: `messages.0.content: ...`. */
export function fieldOf(message: unknown): string | null {
  if (typeof message !== "string") return null;
  const path = /^([a-z_]+(?:\.\w+)*): /.exec(message)?.[1];
  const first = path?.split(".")[0];
  return path !== undefined && first !== undefined && PARAMETERS.has(first) ? path : null;
}

/** Clients wrap what `fetch` threw, which wraps what the socket said. Null: it was not the connection. */
function connectionCode(error: unknown): string | null {
  let known: string | null = null;
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 6; at = at.cause, depth += 1) {
    if ("code" in at && typeof at.code === "string") {
      if (CONNECTION.has(at.code) || CERTIFICATE.test(at.code)) return at.code;
    }
    if (at instanceof TypeError && /^(terminated|fetch failed)$/.test(at.message)) known ??= "cut off";
  }
  return known;
}
