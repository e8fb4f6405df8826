import type {
  ContentBlockParam,
  MessageCreateParamsNonStreaming,
  MessageParam,
} from "@anthropic-ai/sdk/resources/messages/messages";
import type { ToolChat, ToolChatMessage, ToolChatRequest } from "../../ports/tool-chat.ts";
import { type AnthropicAccess, anthropicClient } from "./anthropic-client.ts";
import { anthropicToolAnswer, nativeBlocks } from "./anthropic-tool-answer.ts";
import { CallPolicy } from "./call-policy.ts";
import { withoutDialect } from "./structured.ts";
import { checkToolNames } from "./tool-names.ts";
import { systemWaits } from "./waits.ts";

export interface AnthropicToolOptions extends AnthropicAccess {
  /** `adaptive`: the model decides how much to think; else at most so many tokens, below those of the answer. */
  readonly thinking?: "adaptive" | { readonly budgetTokens: number };
  readonly effort?: "low" | "medium" | "high" | "xhigh" | "max";
}

/** A model behind Anthropic's Messages API that calls tools. @throws ModelSettingsError */
export function anthropicToolChat(options: AnthropicToolOptions): ToolChat {
  const { model, waits = systemWaits } = options;
  const label = `anthropic ${model}`;
  const policy = new CallPolicy({ label, limits: options, waits });
  const client = anthropicClient(options, label);
  return {
    provider: "anthropic",
    model,
    complete: async (request, signal) => {
      checkToolNames(request.tools, label);
      const params = toolParams(options, request);
      return policy.run(
        async (stop) => anthropicToolAnswer(await client.messages.create(params, { signal: stop })),
        { signal },
      );
    },
  };
}

const MARK = { cache_control: { type: "ephemeral" } } as const;

/**
 * Body of a request. Marks for the cache stand behind tools and system text, which are the same in all episodes, and
 * behind the last two messages of the user: the one reads what the turn before wrote, the other writes for the next.
 */
function toolParams(
  { model, thinking, effort }: AnthropicToolOptions,
  request: ToolChatRequest,
): MessageCreateParamsNonStreaming {
  const { system, tools, temperature } = request;
  const told = system.trim() !== "";
  return {
    model,
    max_tokens: request.maxTokens,
    ...(told ? { system: [{ type: "text", text: system, ...MARK }] } : {}),
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map(({ name, description, parameters }, index) => ({
            name,
            description,
            input_schema: { ...withoutDialect(parameters), type: "object" as const },
            ...(!told && index === tools.length - 1 ? MARK : {}),
          })),
        }),
    messages: markedMessages(request.messages.reduce<MessageParam[]>(added, [])),
    ...(temperature === undefined ? {} : { temperature }),
    ...(thinking === undefined
      ? {}
      : {
          thinking:
            thinking === "adaptive"
              ? { type: "adaptive", display: "summarized" }
              : { type: "enabled", budget_tokens: thinking.budgetTokens },
        }),
    ...(effort === undefined ? {} : { output_config: { effort } }),
  };
}

/** Results and what a user says come in one message: the provider wants results right behind their calls. */
function added(messages: MessageParam[], message: ToolChatMessage): MessageParam[] {
  const blocks = blocksOf(message);
  const role = message.role === "assistant" ? "assistant" : "user";
  const last = messages.at(-1);
  if (blocks.length === 0) return messages;
  if (last?.role !== role || typeof last.content === "string")
    return [...messages, { role, content: blocks }];
  return [...messages.slice(0, -1), { role, content: [...last.content, ...blocks] }];
}

function blocksOf(message: ToolChatMessage): ContentBlockParam[] {
  switch (message.role) {
    case "user":
      // The provider refuses a text of nothing but space.
      return [{ type: "text", text: message.text.trim() === "" ? "(nothing)" : message.text }];
    case "results":
      return message.results.map(({ callId, text, isError }) => ({
        type: "tool_result",
        tool_use_id: callId,
        ...(text.trim() === "" ? {} : { content: text }),
        ...(isError ? { is_error: true } : {}),
      }));
    case "assistant":
      return nativeBlocks(message.answer.native);
  }
}

function markedMessages(messages: readonly MessageParam[]): MessageParam[] {
  const users = messages.flatMap(({ role }, index) => (role === "user" ? [index] : []));
  const marked = new Set(users.slice(-2));
  return messages.map((message, index) => {
    if (!marked.has(index) || typeof message.content === "string") return message;
    const content = message.content.map((block, at, all) =>
      at === all.length - 1 ? { ...block, ...MARK } : block,
    );
    return { ...message, content } as MessageParam;
  });
}
