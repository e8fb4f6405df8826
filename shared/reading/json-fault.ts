/** Where a text stops being JSON. `truncated`: everything up to its end is the beginning of valid JSON. */
export interface JsonFault {
  readonly kind: "truncated" | "unexpected";
  /** In bytes, from 0. */
  readonly offset: number;
}

const OBJECT = 0x7b;
const ARRAY = 0x5b;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** What a number may still lack at the end of the text. */
const BROKEN_NUMBER = /^(?:-|\.|[eE][+-]?)$/;
const HEX = /^[0-9a-fA-F]{4}$/;
const WORDS = ["true", "false", "null"] as const;

/**
 * Finds the first fault of a text that `JSON.parse` refused (RFC 8259 grammar), without quoting it: the engine's
 * own message shows content. `latin1` holds one character per byte. Undefined when the text is valid.
 */
export function findJsonFault(latin1: string): JsonFault | undefined {
  const open: number[] = [];
  /** What may stand next. */
  let next: "value" | "value-or-end" | "key" | "key-or-end" | "colon" | "comma-or-end" | "nothing" = "value";
  const length = latin1.length;
  let at = 0;
  const close = (): void => {
    open.pop();
    next = open.length === 0 ? "nothing" : "comma-or-end";
  };
  for (;;) {
    while (at < length && isSpaceCode(latin1.charCodeAt(at))) at += 1;
    if (at >= length) return next === "nothing" ? undefined : { kind: "truncated", offset: length };
    const code = latin1.charCodeAt(at);
    const top = open[open.length - 1];
    if (next === "comma-or-end" && code === 0x2c) {
      next = top === OBJECT ? "key" : "value";
      at += 1;
    } else if (code === 0x7d && top === OBJECT && (next === "comma-or-end" || next === "key-or-end")) {
      close();
      at += 1;
    } else if (code === 0x5d && top === ARRAY && (next === "comma-or-end" || next === "value-or-end")) {
      close();
      at += 1;
    } else if (next === "colon" && code === 0x3a) {
      next = "value";
      at += 1;
    } else if ((next === "key" || next === "key-or-end") && code === 0x22) {
      const end = stringEnd(latin1, at);
      if (typeof end !== "number") return end;
      at = end;
      next = "colon";
    } else if (next === "value" || next === "value-or-end") {
      if (code === OBJECT || code === ARRAY) {
        open.push(code);
        next = code === OBJECT ? "key-or-end" : "value-or-end";
        at += 1;
        continue;
      }
      const end = code === 0x22 ? stringEnd(latin1, at) : scalarEnd(latin1, at);
      if (typeof end !== "number") return end;
      at = end;
      next = open.length === 0 ? "nothing" : "comma-or-end";
    } else {
      return { kind: "unexpected", offset: at };
    }
  }
}

function isSpaceCode(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** Index after the closing quote of the string that opens at `from`. */
function stringEnd(text: string, from: number): number | JsonFault {
  let at = from + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code < 0x20) return { kind: "unexpected", offset: at };
    if (code !== 0x5c) {
      at += 1;
      continue;
    }
    if (at + 1 >= text.length) break;
    const escaped = text.charAt(at + 1);
    if (escaped === "u") {
      const hex = text.slice(at + 2, at + 6);
      if (!HEX.test(hex)) {
        if (at + 6 > text.length && /^[0-9a-fA-F]*$/.test(hex)) break;
        return { kind: "unexpected", offset: at };
      }
      at += 6;
    } else if ('"\\/bfnrt'.includes(escaped)) {
      at += 2;
    } else {
      return { kind: "unexpected", offset: at };
    }
  }
  return { kind: "truncated", offset: text.length };
}

function scalarEnd(text: string, from: number): number | JsonFault {
  for (const word of WORDS) {
    if (text.startsWith(word, from)) return from + word.length;
    const rest = text.slice(from, from + word.length);
    if (from + rest.length === text.length && word.startsWith(rest))
      return { kind: "truncated", offset: text.length };
  }
  NUMBER.lastIndex = from;
  const number = NUMBER.exec(text)?.[0] ?? "";
  const end = from + number.length;
  if (BROKEN_NUMBER.test(text.slice(end, end + 3)) && (number !== "" || text[from] === "-")) {
    return { kind: "truncated", offset: text.length };
  }
  return number === "" ? { kind: "unexpected", offset: from } : end;
}
