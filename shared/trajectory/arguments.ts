import { MAX_DEPTH, withinDepth } from "./depth.ts";

/**
 * Reads a tool call's arguments. Providers give them as a JSON text or as an object.
 * `raw` is kept only where the parsed object would not give the text back (other than by white space):
 * numbers such as 1.0 or 12345678901234567890, escapes, repeated keys, text that is no JSON object.
 */
export function readArguments(value: unknown): {
  readonly parsed: Record<string, unknown>;
  readonly raw?: string;
  readonly problem?: string;
} {
  if (value === undefined || value === null) return { parsed: {} };
  if (typeof value === "object" && !Array.isArray(value)) return { parsed: value as Record<string, unknown> };
  if (typeof value !== "string") {
    return { parsed: {}, raw: JSON.stringify(value), problem: "arguments are not an object" };
  }
  if (value.trim() === "") return value === "" ? { parsed: {} } : { parsed: {}, raw: value };
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    return { parsed: {}, raw: value, problem: "arguments are not valid JSON" };
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    return { parsed: {}, raw: value, problem: "arguments are not an object" };
  }
  // Each level takes two brackets, so a short text cannot nest too deeply.
  if (value.length > 2 * MAX_DEPTH && !withinDepth(parsed))
    return { parsed: {}, raw: value, problem: "arguments are nested too deeply" };
  const back = JSON.stringify(parsed);
  const same = back === value || withoutSpace(value) === back;
  const mended = LONE_SURROGATE.test(back) ? wellFormed(back) : back;
  const whole = (mended === back ? parsed : JSON.parse(mended)) as Record<string, unknown>;
  return same && whole === parsed ? { parsed: whole } : { parsed: whole, raw: value };
}

/** `JSON.stringify` escapes halves of characters and nothing else with `\ud…`; a backslash of the text is doubled. */
const LONE_SURROGATE = /\\u[dD]/;

/** U+FFFD for halves of characters, which cannot be encoded. */
function wellFormed(json: string): string {
  return json.replace(/\\\\|\\ud[89a-f][0-9a-f]{2}/g, (found) => (found === "\\\\" ? found : "\ufffd"));
}

/** Removes white space outside of JSON strings. */
function withoutSpace(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|\s+/gs, (token) => (token.startsWith('"') ? token : ""));
}
