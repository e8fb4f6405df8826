import type { ChatMessage, ChatToolCall, SftMessage } from "../sft-messages.ts";
import { argumentsObject } from "./exact-json.ts";

/** A message as chat templates take it. */
export interface TemplateMessage extends Omit<ChatMessage, "tool_calls"> {
  readonly tool_calls?: readonly TemplateToolCall[];
}

export interface TemplateToolCall extends Omit<ChatToolCall, "function"> {
  /** `arguments` is an object; text stays only where it is no JSON object. */
  readonly function: { readonly name: string; readonly arguments: unknown };
}

/**
 * A conversation in the roles that chat templates know: one system message, at the start. Those that stand there
 * together become one; later ones become the user's. Many templates drop a `developer` message without a word or stop
 * at a system message that comes later.
 */
export function templateTurns(messages: readonly SftMessage[]): readonly SftMessage[] {
  const start = messages.findIndex(({ message }) => !isSystem(message));
  const head = start < 0 ? messages : messages.slice(0, start);
  const [first] = head;
  if (first === undefined) return messages.map(asUsers);
  const content = head.map(({ message }) => message.content).join("\n\n");
  const system = { ...first, message: { ...first.message, role: "system", content } };
  return [system, ...messages.slice(head.length).map(asUsers)];
}

function isSystem({ role }: ChatMessage): boolean {
  return role === "system" || role === "developer";
}

function asUsers(of: SftMessage): SftMessage {
  return isSystem(of.message) ? { ...of, message: { ...of.message, role: "user" } } : of;
}

/** With arguments as objects: as JSON text, templates quote them once more, or stop. */
export function templateMessage(message: ChatMessage): TemplateMessage {
  const { tool_calls, ...rest } = message;
  return tool_calls === undefined ? rest : { ...rest, tool_calls: tool_calls.map(templateCall) };
}

function templateCall({ function: { name, arguments: text }, ...rest }: ChatToolCall): TemplateToolCall {
  return { ...rest, function: { name, arguments: argumentsObject(text) ?? text } };
}

export const NO_OBJECT = "a call's arguments are no JSON object";

/** Whether the arguments of every call are a JSON object; most chat templates stop at others. */
export function haveObjects(messages: readonly SftMessage[]): boolean {
  return messages.every(({ message: { tool_calls = [] } }) =>
    tool_calls.every((call) => argumentsObject(call.function.arguments) !== undefined),
  );
}
