import type { ChatModel } from "../../ports/chat-model.ts";
import type { ToolChat } from "../../ports/tool-chat.ts";
import type { AnthropicStructured } from "./anthropic-request.ts";
import type { AnthropicToolOptions } from "./anthropic-tools.ts";
import type { CallLimits } from "./call-policy.ts";
import { ModelSettingsError } from "./model-settings-error.ts";
import type { LimitName } from "./openai-client.ts";
import type { OpenAiStructured } from "./openai-compatible.ts";
import type { OpenAiToolOptions } from "./openai-tools.ts";

/** Which model to ask, and where. Holds no key, so it may stand in a settings file. */
export type ModelChoice = Optional<CallLimits> &
  Named &
  (
    | { readonly provider: "anthropic"; readonly structured?: AnthropicStructured | undefined }
    | {
        readonly provider: "openai-compatible";
        readonly structured?: OpenAiStructured | undefined;
        readonly limitName?: LimitName | undefined;
      }
  );

interface Named {
  readonly model: string;
  readonly baseUrl?: string | undefined;
  /** Name of the environment variable that holds the key; default `ANTHROPIC_API_KEY` or `OPENAI_API_KEY`. */
  readonly apiKeyVariable?: string | undefined;
}

type Variables = Readonly<Record<string, string | undefined>>;

type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

/**
 * The model of a choice. `variables`: the environment. A provider's client takes a while to load, so only the one that
 * is used is loaded.
 * @throws ModelSettingsError which names the key that is missing and how to set it
 */
export async function modelOf(choice: ModelChoice, variables: Variables): Promise<ChatModel> {
  const more = { apiKey: namedKey(choice, variables), variables };
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

/** Which model is to call tools, and where. Holds no key, so it may stand in a settings file. */
export type ToolChatChoice = Optional<CallLimits> &
  Named &
  (
    | ({ readonly provider: "anthropic" } & Optional<Pick<AnthropicToolOptions, "thinking" | "effort">>)
    | ({ readonly provider: "openai-compatible" } & Optional<
        Pick<OpenAiToolOptions, "tokenIds" | "limitName">
      >)
  );

/** As `modelOf`, for a model that calls tools. @throws ModelSettingsError */
export async function toolChatOf(choice: ToolChatChoice, variables: Variables): Promise<ToolChat> {
  const more = { apiKey: namedKey(choice, variables), variables };
  switch (choice.provider) {
    case "anthropic": {
      const { anthropicToolChat } = await import("./anthropic-tools.ts");
      return anthropicToolChat(defined({ ...choice, ...more }));
    }
    case "openai-compatible": {
      const { openAiToolChat } = await import("./openai-tools.ts");
      return openAiToolChat(defined({ ...choice, ...more }));
    }
  }
}

/** The key in the variable that the choice names; undefined where it names none. @throws ModelSettingsError */
function namedKey(choice: Named & { readonly provider: string }, variables: Variables): string | undefined {
  const { apiKeyVariable } = choice;
  const apiKey = apiKeyVariable === undefined ? undefined : variables[apiKeyVariable];
  if (apiKeyVariable !== undefined && (apiKey === undefined || apiKey.trim() === "")) {
    throw new ModelSettingsError(
      `${choice.provider} ${choice.model}: there is no API key; set the environment variable ${apiKeyVariable} to it`,
    );
  }
  return apiKey;
}

/** Settings that were left open do not stand in the way of defaults. */
function defined<T extends object>(settings: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [K in keyof T]: Exclude<T[K], undefined> };
}
