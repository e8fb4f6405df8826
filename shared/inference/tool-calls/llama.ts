import {
  type CallParser,
  isObject,
  jsonValue,
  namedCall,
  type ParsedCall,
  type Piece,
  unreadable,
} from "./parsed-call.ts";

const TAG = "<|python_tag|>";

/**
 * `{"name": …, "parameters": {…}}` as the whole answer or after `<|python_tag|>`, as Llama 3 writes it; several stand
 * one after the other, with semicolons, commas or blanks between them. What is no such call is text, except after the tag.
 */
export const llamaCalls: CallParser = (text) => {
  const tag = text.indexOf(TAG);
  const [before, body] = tag < 0 ? ["", text] : [text.slice(0, tag), text.slice(tag + TAG.length)];
  const said: readonly Piece[] = before === "" ? [] : [{ kind: "text", source: before }];
  const calls = callsOf(body);
  if (calls !== undefined) return [...said, { kind: "calls", source: text.slice(before.length), calls }];
  if (tag < 0) return text === "" ? [] : [{ kind: "text", source: text }];
  // Code, or a built-in tool as `brave_search.call(query="…")`.
  const name = /^\s*([A-Za-z_]\w*)\.call\(/.exec(body)?.[1];
  return [...said, { kind: "calls", source: text.slice(tag), calls: [unreadable(body.trim(), name)] }];
};

function callsOf(body: string): readonly ParsedCall[] | undefined {
  const list = jsonValue(body);
  const values = Array.isArray(list) ? list : objectsOf(body);
  if (values === undefined || values.length === 0) return undefined;
  const calls = values.map((value) =>
    isObject(value) && ("parameters" in value || "arguments" in value) ? namedCall(value) : undefined,
  );
  const whole = calls.filter((call) => call !== undefined);
  return whole.length === values.length ? whole : undefined;
}

/** JSON objects and nothing else; undefined where there is something else. */
function objectsOf(text: string): readonly unknown[] | undefined {
  const values: unknown[] = [];
  let at = 0;
  for (;;) {
    at += /^[\s;,]*/.exec(text.slice(at))?.[0].length ?? 0;
    if (at === text.length) return values;
    if (text[at] !== "{") return undefined;
    const end = objectEnd(text, at);
    const value = end === undefined ? undefined : jsonValue(text.slice(at, end));
    if (end === undefined || value === undefined) return undefined;
    values.push(value);
    at = end;
  }
}

/** Behind the brace that closes the one at `from`; braces in strings do not count. */
export function objectEnd(text: string, from: number): number | undefined {
  let depth = 0;
  let quoted = false;
  for (let at = from; at < text.length; at += 1) {
    const letter = text[at];
    if (quoted) {
      if (letter === "\\") at += 1;
      else if (letter === '"') quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === "{") depth += 1;
    else if (letter === "}") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return undefined;
}
