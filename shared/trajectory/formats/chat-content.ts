import type { CallInput, ResultInput } from "../builder.ts";
import type { StepExtra } from "../gymline-extra.ts";
import { field, filled, flag, type JsonRecord, list, record, rest, text } from "./read.ts";

export type Signature = NonNullable<StepExtra["signatures"]>[number];

/** A message's content with the parts taken out that ATIF keeps elsewhere. */
export interface SplitContent {
  readonly content: unknown;
  readonly thinking: readonly string[];
  readonly signatures: readonly Signature[];
  readonly calls: readonly CallInput[];
  readonly results: readonly ResultInput[];
}

/**
 * Takes thinking, tool calls and tool results out of a content list. They stand there in Anthropic's form
 * (`thinking`, `tool_use`, `tool_result`, also server-side tools) and in that of the AI SDK (`tool-call`…).
 */
export function splitContent(content: unknown): SplitContent {
  const parts = list(content);
  if (parts === undefined) return { content, thinking: [], signatures: [], calls: [], results: [] };
  const kept: unknown[] = [];
  const thinking: string[] = [];
  const signatures: Signature[] = [];
  const calls: CallInput[] = [];
  const results: ResultInput[] = [];
  for (const item of parts) {
    const part = record(item);
    const type = snakeCase(text(field(part, "type")) ?? "");
    if (part === undefined) kept.push(item);
    else if (type === "thinking" || type === "redacted_thinking" || type === "reasoning") {
      const block = readThinking(part);
      if (block.thought !== undefined) thinking.push(block.thought);
      signatures.push(...block.signatures);
    } else if (type.endsWith("tool_use") || type === "tool_call") calls.push(readCall(part));
    else if (type.endsWith("tool_result")) results.push(readResult(part));
    else if (type === "refusal" && text(field(part, "refusal")) !== undefined) {
      kept.push({ type: "text", text: field(part, "refusal") });
    } else kept.push(item);
  }
  return { content: kept, thinking, signatures, calls, results };
}

/** `tool-call` and `toolCall` are `tool_call`. */
function snakeCase(type: string): string {
  return type
    .slice(0, 64)
    .replaceAll("-", "_")
    .replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A thinking block, also of `thinking_blocks` (LiteLLM) and `reasoning_details` (OpenRouter). */
export function readThinking(block: JsonRecord): {
  readonly thought: string | undefined;
  readonly signatures: readonly Signature[];
} {
  const type = text(field(block, "type")) ?? "thinking";
  const thought =
    filled(field(block, "thinking")) ?? filled(field(block, "text")) ?? filled(field(block, "summary"));
  const signature = filled(field(block, "signature")) ?? filled(field(block, "thinkingSignature"));
  const data = filled(field(block, "data")) ?? filled(field(block, "encrypted_content"));
  const kind = /^[a-z][a-z0-9_.-]{0,63}$/i.test(type) ? type : "thinking";
  return {
    thought,
    signatures: [
      ...(signature === undefined ? [] : [{ kind, value: signature, covers: "reasoning_content" }]),
      ...(data === undefined ? [] : [{ kind, value: data, covers: "reasoning_content" }]),
    ],
  };
}

const CALL_KEYS = [
  "type",
  "id",
  "toolCallId",
  "name",
  "toolName",
  "input",
  "args",
  "arguments",
  "cache_control",
];

function readCall(part: JsonRecord): CallInput {
  const type = text(field(part, "type")) ?? "tool_use";
  const { kept } = rest(part, CALL_KEYS);
  const native = ["tool_use", "tool-call", "toolCall"].includes(type) ? kept : { type, ...kept };
  return {
    id: field(part, "id") ?? field(part, "toolCallId"),
    name: filled(field(part, "name")) ?? filled(field(part, "toolName")) ?? "unknown",
    arguments: field(part, "input") ?? field(part, "args") ?? field(part, "arguments"),
    ...(Object.keys(native).length === 0 ? {} : { native }),
  };
}

function readResult(part: JsonRecord): ResultInput {
  const failed = flag(field(part, "is_error")) ?? flag(field(part, "isError"));
  const name = filled(field(part, "name")) ?? filled(field(part, "toolName"));
  return {
    callId: field(part, "tool_use_id") ?? field(part, "toolCallId") ?? field(part, "id"),
    content: field(part, "content") ?? field(part, "result") ?? field(part, "output"),
    extra: {
      ...(failed === undefined ? {} : { is_error: failed }),
      ...(name === undefined ? {} : { name }),
    },
  };
}
