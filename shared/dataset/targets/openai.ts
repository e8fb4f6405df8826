import type { ChatMessage, SftMessage } from "../sft-messages.ts";
import { chatTools } from "./chat-tools.ts";
import { type Rendering, refused, row, type Source } from "./rendering.ts";
import type { Row } from "./write-row.ts";

export function openaiRow(source: Source): Rendering {
  const last = source.messages.findLastIndex(({ message }) => message.role === "assistant");
  const messages = source.messages.slice(0, last + 1);
  if (!messages.some(({ message }) => message.role === "user"))
    return refused("no user speaks before the agent");
  return row({
    messages: messages.map(({ message, trainable }) => ({
      ...openaiMessage(message),
      ...(message.role === "assistant" ? { weight: trainable ? 1 : 0 } : {}),
    })),
    ...openaiTools(source.trajectory.agent.tool_definitions ?? [], messages),
  });
}

/** Without what the service does not take: reasoning, and the tool's name on its results. */
export function openaiMessage({ role, content, tool_calls, tool_call_id }: ChatMessage): Row {
  return {
    role,
    content,
    ...(tool_calls === undefined ? {} : { tool_calls }),
    ...(tool_call_id === undefined ? {} : { tool_call_id }),
  };
}

export function openaiTools(
  definitions: readonly Readonly<Record<string, unknown>>[],
  messages: readonly Pick<SftMessage, "message">[],
): Row {
  if (definitions.length === 0) return {};
  const parallel = messages.some(({ message }) => (message.tool_calls ?? []).length > 1);
  return { tools: chatTools(definitions), parallel_tool_calls: parallel };
}
