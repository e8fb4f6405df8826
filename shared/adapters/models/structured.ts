import type { ChatRequest } from "../../ports/chat-model.ts";

export type AnswerSchema = NonNullable<ChatRequest["schema"]>;

/** What goes behind the system text where a model is only told in words which JSON to give. */
export function schemaInstruction({ schema }: AnswerSchema): string {
  return [
    "Answer with one JSON value that is valid under the JSON Schema below, and with nothing else: no Markdown, no",
    `words before or after it.\n\n${JSON.stringify(withoutDialect(schema))}`,
  ].join(" ");
}

/** Providers take letters, digits, `_` and `-`, 64 at the most. */
export function schemaName({ name }: AnswerSchema): string {
  return name.replace(/[^a-zA-Z0-9_-]/g, "_").slice(0, 64) || "answer";
}

/** `$schema` only names the dialect, and some providers refuse what they do not know. */
export function withoutDialect(schema: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = schema;
  return rest;
}

/**
 * The JSON in a text of a model that wraps it: in a Markdown fence, or behind its reasoning in `<think>` tags. A text
 * that is JSON already, or holds none that way, comes back as it is.
 */
export function unwrappedJson(text: string): string {
  if (isJson(text)) return text;
  const said = text.replace(/^\s*<think>[\s\S]*?<\/think>/, "").trim();
  const fenced = /^```(?:json)?\s*\n([\s\S]*)\n```$/i.exec(said)?.[1] ?? said;
  return isJson(fenced) ? fenced : text;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * The schema with every object closed (`additionalProperties: false`) that does not say otherwise: constrained answers
 * ask for it, and a model is not to add what nobody asked for.
 */
export function closed(schema: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { $schema, ...rest } = schema;
  const inside = Object.entries(rest).map(([key, value]) => [
    key,
    LITERAL.has(key) ? value : closedPart(key, value),
  ]);
  const isObject = rest["type"] === "object" && !("additionalProperties" in rest);
  return { ...Object.fromEntries(inside), ...(isObject ? { additionalProperties: false } : {}) };
}

/** Under these stand values, not schemas. */
const LITERAL = new Set(["enum", "const", "default", "examples", "required"]);
/** Under these stand schemas by name. */
const NAMED = new Set(["properties", "$defs", "definitions"]);

function closedPart(key: string, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => (isRecord(each) ? closed(each) : each));
  if (!isRecord(value)) return value;
  if (!NAMED.has(key)) return closed(value);
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, isRecord(each) ? closed(each) : each]),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
