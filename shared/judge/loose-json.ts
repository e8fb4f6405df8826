/**
 * A JSON value as a model wrote it. Unlike what `JSON.parse` gives, it keeps keys that occur twice and tells what was
 * cut off: a value that ends with the text is left out unless it is known to be whole.
 */
export type LooseValue =
  | { readonly type: "object"; readonly entries: readonly LooseEntry[]; readonly closed: boolean }
  | { readonly type: "array"; readonly items: readonly LooseValue[]; readonly closed: boolean }
  | { readonly type: "string"; readonly value: string }
  /** May be infinite, as 1e999 is. */
  | { readonly type: "number"; readonly value: number }
  /** `NaN`, `Infinity` or `-Infinity`, which are no JSON. */
  | { readonly type: "not-finite" }
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "null" };

export interface LooseEntry {
  readonly key: string;
  readonly value: LooseValue;
}

export type LooseObject = Extract<LooseValue, { readonly type: "object" }>;

const DEEPEST = 32;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null|NaN|-?Infinity/y;
const SPACE = /[ \t\r\n]*/y;

/**
 * Reads the JSON object that begins at `start`. Forgives trailing commas, line breaks in strings, non-finite numbers
 * and an end that is missing; null where it is no JSON object even so.
 */
export function readLooseObject(
  text: string,
  start: number,
): { readonly value: LooseObject; readonly end: number } | null {
  const reader = new Reader(text, start);
  const value = reader.value(0);
  return value !== null && value !== CUT && value.type === "object" ? { value, end: reader.at } : null;
}

/** The text ended before the value was whole. */
const CUT = Symbol("cut");
type Read = LooseValue | typeof CUT | null;

class Reader {
  readonly #text: string;
  at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.at = at;
  }

  value(depth: number): Read {
    if (depth > DEEPEST) return null;
    this.#take(SPACE);
    const first = this.#text[this.at];
    if (first === undefined) return CUT;
    if (first === "{") return this.#object(depth);
    if (first === "[") return this.#array(depth);
    if (first === '"') {
      const value = this.#string();
      return typeof value === "string" ? { type: "string", value } : value;
    }
    return this.#word() ?? this.#number();
  }

  #object(depth: number): Read {
    this.at += 1;
    const entries: LooseEntry[] = [];
    for (;;) {
      this.#take(SPACE);
      if (this.at >= this.#text.length) return { type: "object", entries, closed: false };
      if (this.#skip("}")) return { type: "object", entries, closed: true };
      if (this.#text[this.at] !== '"') return null;
      const key = this.#string();
      if (key === null) return null;
      this.#take(SPACE);
      if (key === CUT || this.at >= this.#text.length) return { type: "object", entries, closed: false };
      if (!this.#skip(":")) return null;
      const value = this.value(depth + 1);
      if (value === null) return null;
      if (value === CUT) return { type: "object", entries, closed: false };
      entries.push({ key, value });
      if (isCut(value)) return { type: "object", entries, closed: false };
      if (!this.#separated("}")) return null;
    }
  }

  #array(depth: number): Read {
    this.at += 1;
    const items: LooseValue[] = [];
    for (;;) {
      this.#take(SPACE);
      if (this.at >= this.#text.length) return { type: "array", items, closed: false };
      if (this.#skip("]")) return { type: "array", items, closed: true };
      const value = this.value(depth + 1);
      if (value === null) return null;
      if (value === CUT) return { type: "array", items, closed: false };
      items.push(value);
      if (isCut(value)) return { type: "array", items, closed: false };
      if (!this.#separated("]")) return null;
    }
  }

  /** After a value: a comma is taken, the closing bracket is left, and the end of the text will do. */
  #separated(close: string): boolean {
    this.#take(SPACE);
    return this.at >= this.#text.length || this.#skip(",") || this.#text[this.at] === close;
  }

  #string(): string | typeof CUT | null {
    let end = this.at + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === "\\" ? 2 : 1;
    if (end >= this.#text.length) return this.#end();
    const token = this.#text.slice(this.at, end + 1);
    this.at = end + 1;
    try {
      return JSON.parse(token.replace(/[\t\r\n]/g, (found) => ESCAPED[found] ?? "")) as string;
    } catch {
      return null;
    }
  }

  #word(): LooseValue | null {
    const token = this.#take(WORD);
    if (token === null) return null;
    if (token === "null") return { type: "null" };
    if (token === "true" || token === "false") return { type: "boolean", value: token === "true" };
    return { type: "not-finite" };
  }

  #number(): Read {
    const token = this.#take(NUMBER);
    const rest = this.#text.slice(this.at, this.at + 1);
    // The last number of a cut text may have had more digits.
    if (rest === "" || (token === null && isStartOfScalar(this.#text.slice(this.at)))) return this.#end();
    if (token === null) return null;
    if (/[\s,}\]]/.test(rest)) return { type: "number", value: Number(token) };
    return /^[.eE+\-\d]+$/.test(this.#text.slice(this.at)) ? this.#end() : null;
  }

  #end(): typeof CUT {
    this.at = this.#text.length;
    return CUT;
  }

  #skip(token: string): boolean {
    if (this.#text[this.at] !== token) return false;
    this.at += 1;
    return true;
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return null;
    this.at += found.length;
    return found;
  }
}

const ESCAPED: Readonly<Record<string, string>> = { "\t": "\\t", "\r": "\\r", "\n": "\\n" };

function isCut(value: LooseValue): boolean {
  return (value.type === "object" || value.type === "array") && !value.closed;
}

/** Whether the rest of a text is the start of a word or number that was cut. */
function isStartOfScalar(rest: string): boolean {
  return (
    rest.length < 9 &&
    ["true", "false", "null", "NaN", "Infinity", "-Infinity"].some((word) => word.startsWith(rest))
  );
}
