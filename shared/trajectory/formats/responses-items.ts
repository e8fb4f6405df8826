import { field, filled, type JsonRecord, list, record, records, text } from "./read.ts";

const AGENT_ITEMS = new Set(["reasoning", "function_call", "custom_tool_call"]);
const RESULT_ITEMS = new Set(["function_call_output", "custom_tool_call_output"]);

/** An item of the OpenAI Responses API's `input` or `output` that is no plain message. */
export function isResponsesItem(value: unknown): value is JsonRecord {
  const type = text(field(value, "type"));
  if (type === undefined) return false;
  if (type === "reasoning") return list(field(value, "summary")) !== undefined;
  return (AGENT_ITEMS.has(type) || RESULT_ITEMS.has(type)) && filled(field(value, "call_id")) !== undefined;
}

interface Turn {
  content: unknown[];
  thoughts: string[];
  calls: unknown[];
  signatures: unknown[];
  rest: JsonRecord;
}

/**
 * Responses API items as chat messages: the reasoning, text and calls of one model turn, which are items of
 * their own there, become one assistant message again. A turn ends before anything that is not the model's, and
 * before text or reasoning that follows a call.
 */
export function chatFromItems(items: readonly unknown[]): readonly unknown[] {
  const messages: unknown[] = [];
  let turn: Turn | undefined;
  const close = (): void => {
    if (turn !== undefined) messages.push(turnMessage(turn));
    turn = undefined;
  };
  for (const item of items) {
    const type = text(field(item, "type")) ?? "message";
    const assistant = type === "message" && text(field(item, "role")) === "assistant";
    if (!assistant && !AGENT_ITEMS.has(type)) {
      close();
      messages.push(RESULT_ITEMS.has(type) ? resultMessage(item) : item);
      continue;
    }
    const isCall = !assistant && type !== "reasoning";
    if (turn !== undefined && !isCall && (turn.calls.length > 0 || (turn.content.length > 0 && !assistant)))
      close();
    turn ??= { content: [], thoughts: [], calls: [], signatures: [], rest: {} };
    if (assistant) addText(turn, item);
    else if (isCall) turn.calls.push(callOf(item));
    else addReasoning(turn, item);
  }
  close();
  return messages;
}

function addText(turn: Turn, item: unknown): void {
  const content = field(item, "content");
  turn.content.push(...(list(content) ?? [{ type: "text", text: text(content) ?? "" }]));
  turn.rest = record(item) ?? {};
}

function addReasoning(turn: Turn, item: unknown): void {
  const parts = [...records(field(item, "summary")), ...records(field(item, "content"))];
  for (const part of parts) {
    const thought = filled(field(part, "text"));
    if (thought !== undefined) turn.thoughts.push(thought);
  }
  const encrypted = filled(field(item, "encrypted_content"));
  if (encrypted !== undefined) turn.signatures.push({ type: "encrypted_content", data: encrypted });
}

function callOf(item: unknown): JsonRecord {
  const input = field(item, "arguments") ?? field(item, "input");
  const type = text(field(item, "type")) === "custom_tool_call" ? "custom" : "function";
  return { id: field(item, "call_id"), type, name: field(item, "name"), arguments: input };
}

function resultMessage(item: unknown): JsonRecord {
  return { role: "tool", tool_call_id: field(item, "call_id"), content: field(item, "output") };
}

function turnMessage(turn: Turn): JsonRecord {
  return {
    ...turn.rest,
    role: "assistant",
    content: turn.content.length === 0 ? null : turn.content,
    reasoning_content: turn.thoughts.join("\n\n"),
    thinking_blocks: turn.signatures,
    tool_calls: turn.calls,
  };
}
