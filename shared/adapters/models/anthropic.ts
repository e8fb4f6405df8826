import Anthropic from "@anthropic-ai/sdk";
import type { ChatModel } from "../../ports/chat-model.ts";
import { anthropicAnswer } from "./anthropic-answer.ts";
import { AnthropicBatches } from "./anthropic-batches.ts";
import { type AnthropicStructured, messageParams } from "./anthropic-request.ts";
import { baseUrlOf, sendableKey } from "./base-url.ts";
import { type CallLimits, CallPolicy } from "./call-policy.ts";
import { ModelSettingsError } from "./model-settings-error.ts";
import { systemWaits, type Waits } from "./waits.ts";

export interface AnthropicOptions extends Partial<CallLimits> {
  readonly model: string;
  /** Else `ANTHROPIC_API_KEY` of `variables`. */
  readonly apiKey?: string;
  /** Else `ANTHROPIC_BASE_URL` of `variables`, else Anthropic itself. With or without `/v1` at its end. */
  readonly baseUrl?: string;
  /** The environment, as far as it counts. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** Default `native`; `tool` for models and servers that do not know constrained answers. */
  readonly structured?: AnthropicStructured;
  readonly waits?: Waits;
}

const NEVER_MS = 2 ** 31 - 1;

/** A model behind Anthropic's Messages API. @throws ModelSettingsError */
export function anthropicModel(options: AnthropicOptions): ChatModel {
  const { model, variables = {}, structured = "native", waits = systemWaits } = options;
  const label = `anthropic ${model}`;
  const policy = new CallPolicy({ label, limits: options, waits });
  const client = new Anthropic({
    ...connection(options, { label, variables }),
    // Other credentials of the environment stay out of it, and so do the client's own retries and time-outs:
    // there is one policy.
    authToken: null,
    webhookKey: null,
    maxRetries: 0,
    timeout: NEVER_MS,
    logLevel: "off",
    openTelemetry: false,
  });
  return {
    provider: "anthropic",
    model,
    complete: async (request, signal) => {
      const params = messageParams({ model, structured }, request);
      return policy.run(
        async (stop) => anthropicAnswer(await client.messages.create(params, { signal: stop }), structured),
        { signal },
      );
    },
    batches: new AnthropicBatches({ client, policy, model, structured }),
  };
}

function connection(
  options: AnthropicOptions,
  {
    label,
    variables,
  }: { readonly label: string; readonly variables: NonNullable<AnthropicOptions["variables"]> },
): { readonly apiKey: string; readonly baseURL: string } {
  const key = options.apiKey ?? variables["ANTHROPIC_API_KEY"];
  if (key === undefined || key.trim() === "") {
    throw new ModelSettingsError(
      `${label}: there is no API key; set the environment variable ANTHROPIC_API_KEY to one of console.anthropic.com`,
    );
  }
  const url = baseUrlOf(
    options.baseUrl ?? (variables["ANTHROPIC_BASE_URL"] || "https://api.anthropic.com"),
    label,
  );
  return { apiKey: sendableKey(key, label), baseURL: url.href.replace(/\/(v1)?$/, "").replace(/\/$/, "") };
}
