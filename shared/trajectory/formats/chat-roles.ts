import { field, filled, type JsonRecord, record } from "./read.ts";

/** What a message is for us: `call` is a message whose whole text is one tool call. */
export type ChatKind = "system" | "user" | "agent" | "result" | "call";

const KINDS: ReadonlyMap<string, ChatKind> = new Map([
  ["system", "system"],
  ["developer", "system"],
  ["user", "user"],
  ["human", "user"],
  ["assistant", "agent"],
  ["gpt", "agent"],
  ["chatgpt", "agent"],
  ["bing", "agent"],
  ["bard", "agent"],
  ["ai", "agent"],
  ["bot", "agent"],
  ["model", "agent"],
  ["tool", "result"],
  ["tool_result", "result"],
  ["toolresult", "result"],
  ["tool_response", "result"],
  ["function", "result"],
  ["function_response", "result"],
  ["ipython", "result"],
  ["environment", "result"],
  ["observation", "result"],
  ["function_call", "call"],
  ["tool_call", "call"],
]);

/** Names that say no more than the ATIF source does. */
const PLAIN = new Set(["system", "user", "human", "tool", "tool_result", "toolresult"]);

export function roleOf(message: JsonRecord): string | undefined {
  return filled(field(message, "role")) ?? filled(field(message, "from"));
}

/** Undefined for a role that is none of the usual ones. */
export function kindOf(role: string): ChatKind | undefined {
  return KINDS.get(role.toLowerCase());
}

/** The role as it is worth keeping beside the ATIF source. */
export function notedRole(role: string): string | undefined {
  const lower = role.toLowerCase();
  return PLAIN.has(lower) || KINDS.get(lower) === "agent" ? undefined : role;
}

/** The content of a message, in OpenAI or ShareGPT form. */
export function contentOf(message: JsonRecord): unknown {
  return (
    field(message, "content") ??
    (filled(field(message, "role")) === undefined ? field(message, "value") : undefined)
  );
}

const ROW_KEYS = ["messages", "conversations", "conversation", "event", "steps", "trajectory", "history"];

/** One chat message: a usual role, and content or calls; not a row that holds messages, nor another log's event. */
export function isChatMessage(value: unknown): value is JsonRecord {
  const message = record(value);
  if (message === undefined || ROW_KEYS.some((key) => Object.hasOwn(message, key))) return false;
  const role = roleOf(message);
  if (role === undefined || kindOf(role) === undefined) return false;
  if (Array.isArray(field(message, "tool_calls")) || record(field(message, "function_call")) !== undefined)
    return true;
  if (!Object.hasOwn(message, "role")) return typeof field(message, "value") === "string";
  if (!Object.hasOwn(message, "content")) return false;
  const content = field(message, "content");
  return typeof content === "string" || content === null || Array.isArray(content);
}
