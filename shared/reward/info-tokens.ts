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
  return { inside, edge };
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
 * UTF-16 unit: reading bytes, four at a time, is several times faster than reading the string. Most words have
 * neither "/" nor "_" and are passed over; around those characters the word is looked at.
 */
export class TokenScanner {
  readonly #rule: TokenRule;
  readonly #classes: Classes;
  #text = "";
  #sketch = Buffer.alloc(0);
  #bytes = new Uint8Array(0);
  #quads = new Int32Array(0);
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
    if (!text.includes("/") && !text.includes("_")) return;
    const length = text.length;
    this.#draw(text);
    this.#text = text;
    const bytes = this.#bytes;
    const quads = this.#quads;
    const { inside } = this.#classes;
    /** Nothing before it is looked at again. */
    let from = 0;
    for (let quad = 0; quad * 4 < length; quad++) {
      if (!hasNamed(quads[quad] as number)) continue;
      const next = quad * 4 + 4;
      for (let i = Math.max(quad * 4, from); i < next; i++) {
        let seen = inside[bytes[i] as number] as number;
        if ((seen & named) === 0) continue;
        let start = i;
        for (; start > from; start--) {
          const kind = inside[bytes[start - 1] as number] as number;
          if (kind === delimiter) break;
          seen |= kind;
        }
        for (i++; ; i++) {
          const kind = inside[bytes[i] as number] as number;
          if (kind === delimiter) break;
          seen |= kind;
        }
        if (i - start > 3) this.#word(start, i, seen);
        from = i + 1;
      }
      // A long word ends some quads further on.
      if (from > next) quad = (from >> 2) - 1;
    }
  }

  /** Four spaces stand after the text, so that its last word ends and its last quad is whole. */
  #draw(text: string): void {
    const length = text.length;
    if (this.#bytes.length < length * 3 + 4) {
      this.#bytes = new Uint8Array(length * 8 + 4096);
      this.#quads = new Int32Array(this.#bytes.buffer);
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
    bytes.fill(32, length, length + 4);
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

/**
 * Whether one of four bytes is "/" or "_": xor turns such a byte into zero, and subtracting 1 from each byte then sets
 * a high bit that was not set. A borrow may mark the byte above a zero too, but none where there is no zero.
 */
function hasNamed(four: number): boolean {
  const slashes = four ^ 0x2f2f2f2f;
  const underscores = four ^ 0x5f5f5f5f;
  const zeros = ((slashes - 0x01010101) & ~slashes) | ((underscores - 0x01010101) & ~underscores);
  return (zeros & 0x80808080) !== 0;
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
