/** A number that a double cannot give back as it was written: in a parsed value, a symbol of its source text. */
const isSource = (value: unknown): value is symbol => typeof value === "symbol";

/** `JSON.rawJSON` and the source text of numbers: ECMAScript 2026, in Node since version 21. */
const raw = (JSON as unknown as { readonly rawJSON: (text: string) => unknown }).rawJSON;

/**
 * Parses JSON so that `writeJson` gives every number back digit by digit. `keep` names the keys whose numbers must
 * stay numbers. Nesting must be bounded before. @throws SyntaxError whose message may quote the text.
 */
export const parseExactly = (text: string, keep: (key: string) => boolean): unknown => {
  const reviver = function (
    this: unknown,
    key: string,
    value: unknown,
    context?: { readonly source?: string },
  ): unknown {
    if (typeof value !== "number" || context?.source === undefined || keep(key)) return value;
    return String(value) === context.source ? value : Symbol(context.source);
  };
  return JSON.parse(text, reviver);
};

/** The inverse of `parseExactly`. */
export const writeJson = (value: unknown, indent: string): string =>
  JSON.stringify(
    value,
    (_, item: unknown) => (isSource(item) ? raw(item.description ?? "null") : item),
    indent,
  );

/** Indentation of a JSON text: that of its first inner line; "" where it is all on one line. */
export const indentOf = (text: string): string => /^\s*[[{][ \t]*\r?\n([ \t]{1,10})/.exec(text)?.[1] ?? "";

/**
 * Rewrites what the string literals of a JSON-like text hold, and leaves all else: for lines that are no valid JSON,
 * such as one that was cut off. Linear; a last literal without its end counts as one.
 */
export const mapLiterals = (text: string, change: (content: string) => string): string => {
  const pieces: string[] = [];
  let from = 0;
  for (;;) {
    const open = text.indexOf('"', from);
    if (open === -1) break;
    const end = literalEnd(text, open + 1);
    const source = text.slice(open + 1, end);
    const content = unescaped(source);
    const next = content === undefined ? change(source) : change(content);
    const changed = next !== (content ?? source);
    pieces.push(text.slice(from, open + 1));
    pieces.push(changed ? JSON.stringify(next).slice(1, -1) : source);
    from = end;
    if (from >= text.length) break;
    pieces.push('"');
    from += 1;
  }
  pieces.push(text.slice(from));
  return pieces.join("");
};

/** Index of the quote that ends a literal; the length of the text where there is none. */
const literalEnd = (text: string, from: number): number => {
  let at = from;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return Math.min(at, text.length);
};

const unescaped = (source: string): string | undefined => {
  // A literal that was cut off may end in half an escape.
  for (const text of [source, source.replace(/\\(?:u[0-9a-fA-F]{0,3})?$/, "")]) {
    try {
      const value: unknown = JSON.parse(`"${text}"`);
      if (typeof value === "string") return value;
    } catch {
      // No JSON string as it stands.
    }
  }
  return undefined;
};

/** How many string literals a valid JSON text holds, keys included. */
export const countLiterals = (text: string): number => {
  let count = 0;
  for (let open = text.indexOf('"'); open !== -1; ) {
    count += 1;
    open = text.indexOf('"', literalEnd(text, open + 1) + 1);
  }
  return count;
};

/** How many strings a parsed value holds, keys included: fewer than its text where a key stands there twice. */
export const countStrings = (value: unknown): number => {
  let count = 0;
  const open: unknown[] = [value];
  while (open.length > 0) {
    const item = open.pop();
    if (typeof item === "string") count += 1;
    else if (Array.isArray(item)) for (const each of item) open.push(each);
    else if (typeof item === "object" && item !== null) {
      const values = Object.values(item);
      count += values.length;
      for (const each of values) open.push(each);
    }
  }
  return count;
};
