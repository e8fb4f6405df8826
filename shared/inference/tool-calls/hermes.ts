import {
  type CallParser,
  jsonValue,
  namedCall,
  type ParsedCall,
  type Piece,
  unreadable,
} from "./parsed-call.ts";

const OPEN = "<tool_call>";
const CLOSE = "</tool_call>";

/** `<tool_call>{"name": …, "arguments": {…}}</tool_call>`, as Hermes and Qwen write it. */
export const hermesCalls: CallParser = (text, { cut }) => {
  const pieces: Piece[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf(OPEN, at);
    if (open < 0) break;
    if (open > at) pieces.push({ kind: "text", source: text.slice(at, open) });
    const { call, end } = callAt(text, open, cut);
    pieces.push({ kind: "calls", source: text.slice(open, end), calls: [call] });
    at = end;
  }
  if (at < text.length) pieces.push({ kind: "text", source: text.slice(at) });
  return pieces;
};

/**
 * A mark may stand inside of an argument, so the body ends at the first mark up to which it is a call. Where there is
 * none, it ends at the first mark: the end of this call, or the beginning of another.
 */
function callAt(
  text: string,
  open: number,
  cut: boolean,
): { readonly call: ParsedCall; readonly end: number } {
  const start = open + OPEN.length;
  const marks = [...text.slice(start).matchAll(/<\/?tool_call>/g)].map(({ index, 0: mark }) => ({
    body: text.slice(start, start + index),
    end: start + index + (mark === CLOSE ? CLOSE.length : 0),
  }));
  const open_ended = { body: text.slice(start), end: text.length };
  for (const { body, end } of [...marks, ...(cut ? [] : [open_ended])]) {
    const call = body.includes("}") ? namedCall(jsonValue(body)) : undefined;
    if (call !== undefined) return { call, end };
  }
  const { body, end } = marks[0] ?? open_ended;
  return { call: unreadable(body.trim()), end };
}
