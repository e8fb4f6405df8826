import Anthropic from "@anthropic-ai/sdk";
import { baseUrlOf, sendableKey } from "./base-url.ts";
import type { CallLimits } from "./call-policy.ts";
import { ModelSettingsError } from "./model-settings-error.ts";
import type { Waits } from "./waits.ts";

export interface AnthropicAccess extends Partial<CallLimits> {
  readonly model: string;
  /** Else `ANTHROPIC_API_KEY` of `variables`. */
  readonly apiKey?: string;
  /** Else `ANTHROPIC_BASE_URL` of `variables`, else Anthropic itself. With or without `/v1` at its end. */
  readonly baseUrl?: string;
  /** The environment, as far as it counts. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  readonly waits?: Waits;
}

const NEVER_MS = 2 ** 31 - 1;

/** @throws ModelSettingsError */
export function anthropicClient(access: AnthropicAccess, label: string): Anthropic {
  return new Anthropic({
    ...connection(access, label),
    // Other credentials of the environment stay out of it, and so do the client's own retries and time-outs:
    // there is one policy.
    authToken: null,
    webhookKey: null,
    maxRetries: 0,
    timeout: NEVER_MS,
    logLevel: "off",
    openTelemetry: false,
  });
}

function connection(
  access: AnthropicAccess,
  label: string,
): { readonly apiKey: string; readonly baseURL: string } {
  const { variables = {} } = access;
  const key = access.apiKey ?? variables["ANTHROPIC_API_KEY"];
  if (key === undefined || key.trim() === "") {
    throw new ModelSettingsError(
      `${label}: there is no API key; set the environment variable ANTHROPIC_API_KEY to one of console.anthropic.com`,
    );
  }
  const url = baseUrlOf(
    access.baseUrl ?? (variables["ANTHROPIC_BASE_URL"] || "https://api.anthropic.com"),
    label,
  );
  return { apiKey: sendableKey(key, label), baseURL: url.href.replace(/\/(v1)?$/, "").replace(/\/$/, "") };
}
