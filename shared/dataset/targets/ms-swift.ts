import type { ChatMessage, SftMessage } from "../sft-messages.ts";
import { argumentsValue, withThinking } from "./chat-tools.ts";
import { originOf, type Rendering, row, type Source } from "./rendering.ts";
import { toolsText } from "./tools-text.ts";

export interface SwiftMessage {
  readonly role: "system" | "user" | "assistant" | "tool_call" | "tool_response";
  readonly content: string;
  readonly loss?: boolean;
}

export function swiftRow(source: Source): Rendering {
  return row({
    messages: swiftMessages(source.turns),
    tools: toolsText(source.trajectory),
    ...originOf(source),
  });
}

/** Chat messages in ms-swift's roles: calls stand apart from what is said beside them. */
export function swiftMessages(messages: readonly SftMessage[]): readonly SwiftMessage[] {
  return messages.flatMap(({ message, trainable }, index) => {
    if (message.role === "assistant") return agentMessages(message, trainable);
    return [{ role: roleOf(message, index), content: message.content } as const];
  });
}

function agentMessages(message: ChatMessage, loss: boolean): readonly SwiftMessage[] {
  const calls = (message.tool_calls ?? []).map(({ function: { name, arguments: text } }): SwiftMessage => {
    const content = JSON.stringify({ name, arguments: argumentsValue(text) });
    return { role: "tool_call", content, loss };
  });
  const content = withThinking(message.reasoning_content, message.content);
  if (content === "" && calls.length > 0) return calls;
  return [{ role: "assistant", content, loss }, ...calls];
}

/** A system message counts as one at the start only. */
function roleOf({ role }: ChatMessage, index: number): SwiftMessage["role"] {
  if (role === "tool") return "tool_response";
  return (role === "system" || role === "developer") && index === 0 ? "system" : "user";
}
