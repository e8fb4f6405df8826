import type { JsonObject, ToolDefinition } from "../../env/protocol.ts";

/** A call as a model wrote it. */
export interface ParsedCall {
  readonly tool: string;
  readonly params: JsonObject;
  /** What it wrote, where that is no call with a JSON object; `params` is empty then. */
  readonly rawArguments?: string;
}

/** A piece of an answer. All sources of an answer, one after the other, are its text. */
export type Piece =
  | { readonly kind: "text"; readonly source: string }
  | { readonly kind: "thought"; readonly source: string; readonly text: string }
  | { readonly kind: "calls"; readonly source: string; readonly calls: readonly ParsedCall[] };

export interface ParseContext {
  readonly tools: readonly ToolDefinition[];
  /** The answer was cut off: a call that it ends in may lack its end. */
  readonly cut: boolean;
}

/** Finds calls in the text of an answer, thinking taken out. Never throws. */
export type CallParser = (text: string, context: ParseContext) => readonly Piece[];

/** Stands for the tool of a call that names none, so that the model hears that its call could not be read. */
const UNNAMED = "tool_call";

/** A call that cannot be read. `tool`: its name, where that much can be read. */
export function unreadable(raw: string, tool: string | undefined = nameIn(raw)): ParsedCall {
  return { tool: tool ?? UNNAMED, params: {}, rawArguments: raw };
}

/** The JSON value of a text; undefined where it is none. */
export function jsonValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * `{"name": …, "arguments": {…}}`, with `parameters` in place of `arguments` as well; arguments may be an object written
 * as a string. undefined: the value names no tool.
 */
export function namedCall(value: unknown): ParsedCall | undefined {
  if (!isObject(value)) return undefined;
  const { name } = value;
  if (typeof name !== "string" || name.trim() === "") return undefined;
  const given = value["arguments"] ?? value["parameters"] ?? {};
  if (isObject(given)) return { tool: name, params: given };
  const inside = typeof given === "string" ? jsonValue(given) : undefined;
  if (isObject(inside)) return { tool: name, params: inside };
  return unreadable(typeof given === "string" ? given : JSON.stringify(given), name);
}

function nameIn(raw: string): string | undefined {
  return /"name"\s*:\s*"([^"\\]+)"/.exec(raw)?.[1];
}
