import type { CallInput } from "../builder.ts";
import { decodeJson } from "../depth.ts";
import type { Signature } from "./chat-content.ts";
import { at, field, filled, type JsonRecord, record, records, rest, text } from "./read.ts";

const CALL_KEYS = [
  "id",
  "call_id",
  "type",
  "index",
  "function",
  "custom",
  "name",
  "arguments",
  "args",
  "input",
  "parameters",
];

/** The calls of an assistant message: `tool_calls` (a list, or its JSON text) and the legacy `function_call`. */
export function nativeCalls(message: JsonRecord): readonly CallInput[] {
  const given = field(message, "tool_calls");
  const calls = records(typeof given === "string" ? decodeJson(given) : given).map(readCall);
  const legacy = record(field(message, "function_call"));
  if (calls.length > 0 || legacy === undefined) return calls;
  return [{ ...readCall(legacy), native: { legacy: "function_call" } }];
}

function readCall(call: JsonRecord): CallInput {
  const custom = record(field(call, "custom"));
  const body = record(field(call, "function")) ?? custom ?? call;
  const type = text(field(call, "type"));
  const { kept } = rest(call, CALL_KEYS);
  const native = type === undefined || type === "function" ? kept : { type, ...kept };
  return {
    id: field(call, "id") ?? field(call, "call_id"),
    name: filled(field(body, "name")) ?? "unknown",
    arguments:
      field(body, "arguments") ?? field(body, "args") ?? field(body, "input") ?? field(body, "parameters"),
    ...(Object.keys(native).length === 0 ? {} : { native }),
  };
}

/** A ShareGPT `function_call` message: its text is one call, or a list of calls, as JSON. */
export function textCalls(value: unknown): readonly CallInput[] {
  const decoded = decodeJson(value) ?? value;
  const calls = Array.isArray(decoded) ? records(decoded) : [decoded];
  return calls
    .map((call) => record(call))
    .filter(
      (call) =>
        call !== undefined && filled(field(record(field(call, "function")) ?? call, "name")) !== undefined,
    )
    .map((call) => ({ ...readCall(call ?? {}), from: "text" as const }));
}

/** Thought signatures that providers hang on a call (Gemini, through LiteLLM or its OpenAI endpoint). */
export function callSignatures(message: JsonRecord): readonly Signature[] {
  return records(field(message, "tool_calls")).flatMap((call) => {
    const value =
      filled(at(call, "provider_specific_fields", "thought_signature")) ??
      filled(at(call, "extra_content", "google", "thought_signature")) ??
      filled(field(call, "thought_signature"));
    if (value === undefined) return [];
    const id = filled(field(call, "id"));
    return [{ kind: "thought_signature", value, ...(id === undefined ? {} : { covers: id }) }];
  });
}
