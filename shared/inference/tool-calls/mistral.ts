import { objectEnd } from "./llama.ts";
import {
  type CallParser,
  isObject,
  jsonValue,
  namedCall,
  type ParsedCall,
  type Piece,
  unreadable,
} from "./parsed-call.ts";

const MARK = "[TOOL_CALLS]";

/** `[TOOL_CALLS] [{"name": …, "arguments": {…}}, …]`, and `[TOOL_CALLS]name[ARGS]{…}` of newer Mistral models. */
export const mistralCalls: CallParser = (text) => {
  const pieces: Piece[] = [];
  let at = text.indexOf(MARK);
  const before = at < 0 ? text : text.slice(0, at);
  if (before !== "") pieces.push({ kind: "text", source: before });
  while (at >= 0) {
    const next = nextMark(text, at + MARK.length);
    const source = text.slice(at, next < 0 ? text.length : next);
    pieces.push({ kind: "calls", source, calls: callsOf(source.slice(MARK.length).trim()) });
    at = next;
  }
  return pieces;
};

/** The next mark that does not stand inside of the arguments of the call before it. */
function nextMark(text: string, from: number): number {
  const brace = text.indexOf("{", from);
  const mark = text.indexOf(MARK, from);
  if (brace < 0 || mark < 0 || mark < brace) return mark;
  return text.indexOf(MARK, objectEnd(text, brace) ?? brace);
}

function callsOf(body: string): readonly ParsedCall[] {
  const list = jsonValue(body);
  if (Array.isArray(list) && list.length > 0) {
    return list.map((each) => namedCall(each) ?? unreadable(JSON.stringify(each)));
  }
  const single = namedCall(list);
  if (single !== undefined) return [single];
  const named = /^([\w.-]+)\s*(?:\[CALL_ID\]\w+\s*)?(?:\[ARGS\]\s*)?(\{[\s\S]*)$/.exec(body);
  const [, name, raw = ""] = named ?? [];
  const params = jsonValue(raw);
  if (name !== undefined && isObject(params)) return [{ tool: name, params }];
  return [unreadable(name === undefined ? body : raw, name)];
}
