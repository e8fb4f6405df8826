import OpenAI from "openai";
import { baseUrlOf, sendableKey } from "./base-url.ts";
import type { CallLimits } from "./call-policy.ts";
import { ModelSettingsError } from "./model-settings-error.ts";
import type { Waits } from "./waits.ts";

/** OpenAI's newer models take only the first, older servers only the second. */
export type LimitName = "max_completion_tokens" | "max_tokens";

export interface OpenAiAccess extends Partial<CallLimits> {
  readonly model: string;
  /** Else `OPENAI_API_KEY` of `variables`. Servers other than OpenAI may need none. */
  readonly apiKey?: string;
  /** Else `OPENAI_BASE_URL` of `variables`, else OpenAI itself. `/v1` is added where the URL has no path. */
  readonly baseUrl?: string;
  /** The environment, as far as it counts. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** Name of the limit on an answer's tokens; by default that of the server. */
  readonly limitName?: LimitName;
  readonly waits?: Waits;
}

const OPENAI = "https://api.openai.com/v1";
const NEVER_MS = 2 ** 31 - 1;

/** A client, and under which name its server takes the limit on tokens. @throws ModelSettingsError */
export function openAiClient(
  access: OpenAiAccess,
  label: string,
): { readonly client: OpenAI; readonly limitName: LimitName } {
  const { url, key } = connection(access, label);
  const client = new OpenAI({
    baseURL: url,
    // The client wants a key; where there is none, its header is taken out again.
    apiKey: key ?? "none",
    ...(key === null ? { defaultHeaders: { authorization: null } } : {}),
    // Other credentials of the environment stay out of it, and so do the client's own retries and time-outs:
    // there is one policy.
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: NEVER_MS,
    logLevel: "off",
  });
  return {
    client,
    limitName: access.limitName ?? (url === OPENAI ? "max_completion_tokens" : "max_tokens"),
  };
}

function connection(
  { apiKey, baseUrl, variables = {} }: OpenAiAccess,
  label: string,
): { readonly url: string; readonly key: string | null } {
  const url = baseUrlOf(baseUrl ?? (variables["OPENAI_BASE_URL"] || OPENAI), label);
  if (url.pathname === "/") url.pathname = "/v1";
  const key = apiKey ?? variables["OPENAI_API_KEY"];
  if (key !== undefined && key.trim() !== "") return { url: url.href, key: sendableKey(key, label) };
  if (url.href === OPENAI) {
    throw new ModelSettingsError(
      `${label}: there is no API key; set the environment variable OPENAI_API_KEY to one of platform.openai.com, or give the base URL of a server that needs none`,
    );
  }
  return { url: url.href, key: null };
}
