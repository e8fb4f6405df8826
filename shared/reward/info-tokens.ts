import { Buffer } from "node:buffer";

/**
 * Tokens are the words of an output that a later call may refer to: paths and names with an underscore.
 *
 * `compatible`: words between white space of more than three characters; with a "/": without punctuation
 * around them; with a "_": only if they are identifiers. `mended` also splits at brackets, quotes and
 * separators, so that "src/a.py:12:def load_all():" yields `src/a.py` and `load_all`, and drops tokens
 * that have fewer than four characters or no letter or digit and therefore occur anywhere.
 */
export type TokenRule = "compatible" | "mended";

/** Is told where a token stands; `ascii` says whether it has ASCII characters only. */
type TokenVisitor = (start: number, end: number, ascii: boolean) => void;

const delimiter = 1;
const underscore = 2;
const slash = 4;
const named = underscore | slash;

/** Stands in the sketch of a text for every character that is neither ASCII nor white space. */
const foreign = 0x80;
const foreignClass = 8;

interface Classes {
  /** What a byte of the sketch is inside the text; 0 for ordinary ones. */
  readonly inside: Uint8Array;
  /** The same for two bytes at once (their classes or-ed), by their 16-bit value. */
  readonly pairs: Uint8Array;
  /** 1 for characters that do not belong to a token at its start or end. */
  readonly edge: Uint8Array;
}

function classesFor({ delimiters, edges }: { readonly delimiters: string; readonly edges: string }): Classes {
  const inside = new Uint8Array(256);
  const edge = new Uint8Array(256);
  for (const char of `\t\n\v\f\r\x1c\x1d\x1e\x1f ${delimiters}`) inside[char.charCodeAt(0)] = delimiter;
  for (const char of edges) edge[char.charCodeAt(0)] = 1;
  inside[0x2f] = slash;
  inside[0x5f] = underscore;
  inside[foreign] = foreignClass;
  const pairs = new Uint8Array(1 << 16);
  for (let i = 0; i < pairs.length; i++) {
    pairs[i] = (inside[i & 0xff] as number) | (inside[i >>> 8] as number);
  }
  return { inside, pairs, edge };
}

const classesOf: Readonly<Record<TokenRule, Classes>> = {
  compatible: classesFor({ delimiters: "", edges: ".,;:()[]{}\"'`" }),
  mended: classesFor({ delimiters: "()[]{}<>\"'`,;:=|*&!?#$%@+^~\\", edges: ".-" }),
};
const identifier = /^[_\p{XID_Start}]\p{XID_Continue}*$/u;
const alphanumeric = /[\p{L}\p{N}]/u;

/**
 * The tokens of one output, in order of appearance, repetitions included. The plain definition that tests hold the
 * scanner to.
 * @internal
 */
export function tokensOf(text: string, rule: TokenRule): readonly string[] {
  const tokens: string[] = [];
  new TokenScanner(rule, (start, end) => tokens.push(text.slice(start, end))).scan(text);
  return tokens;
}

/**
 * Finds the tokens of one text after another. Every text is first written down as a sketch, one byte a
 * UTF-16 unit: reading bytes, two at a time, is several times faster than reading the string.
 */
export class TokenScanner {
  readonly #rule: TokenRule;
  readonly #classes: Classes;
  #text = "";
  #sketch = Buffer.alloc(0);
  #bytes = new Uint8Array(0);
  #pairs = new Uint16Array(0);
  readonly #visit: TokenVisitor;

  /** `visit` is called for every token of every text, in order. */
  constructor(rule: TokenRule, visit: TokenVisitor) {
    this.#rule = rule;
    this.#visit = visit;
    this.#classes = classesOf[rule];
  }

  /** The sketch of the text being scanned. Where the text is ASCII, its bytes are the characters. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Visits the tokens of `text`. One pass. */
  scan(text: string): void {
    const length = text.length;
    this.#draw(text);
    this.#text = text;
    const bytes = this.#bytes;
    const pairs = this.#pairs;
    const { inside, pairs: pairClasses } = this.#classes;
    let start = 0;
    let seen = 0;
    for (let pair = 0; pair * 2 <= length; pair++) {
      const kinds = pairClasses[pairs[pair] as number] as number;
      if ((kinds & delimiter) === 0) {
        seen |= kinds;
        continue;
      }
      for (let i = pair * 2; i < pair * 2 + 2; i++) {
        const kind = inside[bytes[i] as number] as number;
        if (kind !== delimiter) {
          seen |= kind;
          continue;
        }
        if ((seen & named) !== 0 && i - start > 3) this.#word(start, i, seen);
        start = i + 1;
        seen = 0;
      }
    }
  }

  /** Two spaces stand after the text, so that its last word ends and its last pair is whole. */
  #draw(text: string): void {
    const length = text.length;
    if (this.#bytes.length < length * 3 + 4) {
      this.#bytes = new Uint8Array(length * 6 + 4096);
      this.#pairs = new Uint16Array(this.#bytes.buffer);
      this.#sketch = Buffer.from(this.#bytes.buffer);
    }
    const bytes = this.#bytes;
    // In UTF-8 every unit beyond ASCII takes more than one byte, so equal lengths mean ASCII.
    if (this.#sketch.write(text, "utf8") !== length) {
      for (let i = 0; i < length; i++) {
        const code = text.charCodeAt(i);
        bytes[i] = code < 128 ? code : isWideSpace(code) ? 32 : foreign;
      }
    }
    bytes[length] = 32;
    bytes[length + 1] = 32;
  }

  // Positional arguments: this runs once per word of every output.
  #word(from: number, to: number, seen: number): void {
    const ascii = (seen & foreignClass) === 0;
    // Length is counted in code points, of which more than six units make at least four.
    if (!ascii && to - from <= 6 && [...this.#text.slice(from, to)].length <= 3) return;
    let start = from;
    let end = to;
    const mended = this.#rule === "mended";
    if (mended || (seen & slash) !== 0) {
      while (start < end && this.#isEdge(start)) start++;
      while (end > start && this.#isEdge(end - 1)) end--;
      if (start === end || (mended && !this.#isTelling(start, end, ascii))) return;
    } else if (!this.#isIdentifier(start, end, ascii)) return;
    this.#visit(start, end, ascii);
  }

  #isEdge(at: number): boolean {
    return this.#classes.edge[this.#bytes[at] as number] === 1;
  }

  #isTelling(start: number, end: number, ascii: boolean): boolean {
    if (end - start < 4) return false;
    for (let i = end - 1; i >= start; i--) if (isWordCode(this.#bytes[i] as number)) return true;
    return !ascii && alphanumeric.test(this.#text.slice(start, end));
  }

  #isIdentifier(start: number, end: number, ascii: boolean): boolean {
    if (!ascii) return identifier.test(this.#text.slice(start, end));
    const first = this.#bytes[start] as number;
    if (first >= 48 && first <= 57) return false;
    for (let i = start; i < end; i++) {
      const code = this.#bytes[i] as number;
      if (code !== 95 && !isWordCode(code)) return false;
    }
    return true;
  }
}

function isWordCode(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57);
}

function isWideSpace(code: number): boolean {
  return (
    code === 0x85 ||
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}
