import type { ChatModel } from "../../ports/chat-model.ts";
import type { AnthropicStructured } from "./anthropic-request.ts";
import type { CallLimits } from "./call-policy.ts";
import { ModelSettingsError } from "./model-settings-error.ts";
import type { OpenAiOptions, OpenAiStructured } from "./openai-compatible.ts";

/** Which model to ask, and where. Holds no key, so it may stand in a settings file. */
export type ModelChoice = Optional<CallLimits> & {
  readonly model: string;
  readonly baseUrl?: string | undefined;
  /** Name of the environment variable that holds the key; default `ANTHROPIC_API_KEY` or `OPENAI_API_KEY`. */
  readonly apiKeyVariable?: string | undefined;
} & (
    | { readonly provider: "anthropic"; readonly structured?: AnthropicStructured | undefined }
    | {
        readonly provider: "openai-compatible";
        readonly structured?: OpenAiStructured | undefined;
        readonly limitName?: OpenAiOptions["limitName"] | undefined;
      }
  );

type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

/**
 * The model of a choice. `variables`: the environment. A provider's client takes a while to load, so only the one that
 * is used is loaded.
 * @throws ModelSettingsError which names the key that is missing and how to set it
 */
export async function modelOf(
  choice: ModelChoice,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<ChatModel> {
  const { apiKeyVariable } = choice;
  const apiKey = apiKeyVariable === undefined ? undefined : variables[apiKeyVariable];
  if (apiKeyVariable !== undefined && (apiKey === undefined || apiKey.trim() === "")) {
    throw new ModelSettingsError(
      `${choice.provider} ${choice.model}: there is no API key; set the environment variable ${apiKeyVariable} to it`,
    );
  }
  const more = { apiKey, variables };
  switch (choice.provider) {
    case "anthropic": {
      const { anthropicModel } = await import("./anthropic.ts");
      return anthropicModel(defined({ ...choice, ...more }));
    }
    case "openai-compatible": {
      const { openAiCompatibleModel } = await import("./openai-compatible.ts");
      return openAiCompatibleModel(defined({ ...choice, ...more }));
    }
  }
}

/** Settings that were left open do not stand in the way of defaults. */
function defined<T extends object>(settings: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [K in keyof T]: Exclude<T[K], undefined> };
}
