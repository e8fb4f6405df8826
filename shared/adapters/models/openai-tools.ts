import type {
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionMessageParam,
} from "openai/resources/chat/completions";
import type { ToolChat, ToolChatMessage, ToolChatRequest } from "../../ports/tool-chat.ts";
import { CallPolicy } from "./call-policy.ts";
import { type LimitName, type OpenAiAccess, openAiClient } from "./openai-client.ts";
import { nativeMessage, openAiToolAnswer } from "./openai-tool-answer.ts";
import { withoutDialect } from "./structured.ts";
import { checkToolNames } from "./tool-names.ts";
import { systemWaits } from "./waits.ts";

export interface OpenAiToolOptions extends OpenAiAccess {
  /**
   * Asks for exact tokens: `return_token_ids` and `logprobs`, as vLLM (0.10.2 and later) has them. Other servers may
   * refuse the request.
   */
  readonly tokenIds?: boolean;
}

/** A model behind Chat Completions that calls tools: OpenAI, vLLM, Moonshot and others. @throws ModelSettingsError */
export function openAiToolChat(options: OpenAiToolOptions): ToolChat {
  const { model, tokenIds = false, waits = systemWaits } = options;
  const label = `openai-compatible ${model}`;
  const policy = new CallPolicy({ label, limits: options, waits });
  const { client, limitName } = openAiClient(options, label);
  return {
    provider: "openai-compatible",
    model,
    complete: async (request, signal) => {
      checkToolNames(request.tools, label);
      const params = toolParams({ model, tokenIds, limitName }, request);
      const turn = request.messages.length;
      return policy.run(
        async (stop) =>
          openAiToolAnswer(await client.chat.completions.create(params, { signal: stop }), { turn }),
        { signal },
      );
    },
  };
}

interface VllmParams {
  readonly return_token_ids?: boolean;
}

function toolParams(
  how: { readonly model: string; readonly tokenIds: boolean; readonly limitName: LimitName },
  request: ToolChatRequest,
): ChatCompletionCreateParamsNonStreaming & VllmParams {
  const { system, tools, temperature, seed } = request;
  return {
    model: how.model,
    messages: [
      ...(system.trim() === "" ? [] : [{ role: "system" as const, content: system }]),
      ...request.messages.flatMap(sentMessage),
    ],
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map(({ name, description, parameters }) => ({
            type: "function" as const,
            function: { name, description, parameters: { ...withoutDialect(parameters) } },
          })),
        }),
    [how.limitName]: request.maxTokens,
    ...(temperature === undefined ? {} : { temperature }),
    ...(seed === undefined ? {} : { seed }),
    ...(how.tokenIds ? { return_token_ids: true, logprobs: true } : {}),
  };
}

/** Results have no mark for errors in this format; their text says so. */
function sentMessage(message: ToolChatMessage): ChatCompletionMessageParam[] {
  switch (message.role) {
    case "user":
      return [{ role: "user", content: message.text }];
    case "results":
      return message.results.map(({ callId, text }) => ({
        role: "tool",
        tool_call_id: callId,
        content: text,
      }));
    case "assistant":
      return [nativeMessage(message.answer.native)];
  }
}
