import { type TokenRule, TokenScanner } from "./info-tokens.ts";
import { createTokenMatcher } from "./token-matcher.ts";

/** A text that may refer to what was found before it. */
interface TokenQuery {
  /** Step the text belongs to; only outputs of earlier steps count. */
  readonly step: number;
  readonly text: string;
}

/**
 * Says for each query whether any token of an earlier step's output occurs in its text (upper and lower
 * case alike): true or false, null where earlier outputs have no token at all.
 *
 * Linear in the size of outputs and texts together. All texts are known beforehand, so their four-character
 * sequences go into a bit set first; a token with a sequence that occurs in no text can match none and is
 * dropped unread. The few that are left go into one Aho-Corasick automaton whose nodes carry the earliest
 * step a token was seen in, and each text runs through it once. (Aho & Corasick 1975)
 */
export function queryTokens({
  outputs,
  queries,
  rule,
}: {
  /** Outputs with the step they belong to, steps ascending. */
  readonly outputs: readonly { readonly step: number; readonly output: string }[];
  /** Steps ascending. */
  readonly queries: readonly TokenQuery[];
  readonly rule: TokenRule;
}): readonly (boolean | null)[] {
  const last = queries.at(-1);
  if (last === undefined) return [];
  const texts = queries.map((query) => query.text.toLowerCase());
  const grams = new GramSet(texts);
  const earliest = new Map<string, number>();
  let firstTokenStep = Number.POSITIVE_INFINITY;
  let now: (typeof outputs)[number] = { step: 0, output: "" };
  const scanner = new TokenScanner(rule, (start, end, ascii) => {
    if (now.step < firstTokenStep) firstTokenStep = now.step;
    // Case folding may change other scripts in more than one bit, so their tokens skip the sieve.
    if (ascii && !grams.mayHold(scanner.bytes, start, end)) return;
    const token = now.output.slice(start, end).toLowerCase();
    if (token.length <= grams.longest && !earliest.has(token)) earliest.set(token, now.step);
  });
  for (const each of outputs) {
    if (each.step >= last.step) break;
    now = each;
    scanner.scan(each.output);
  }
  const matches = createTokenMatcher(earliest);
  return queries.map((query, i) =>
    firstTokenStep >= query.step ? null : matches(texts[i] ?? "", query.step),
  );
}

const gramLength = 4;

/** The sequences of four characters of some texts, hashed into a bit set: no false negatives. */
class GramSet {
  readonly #bits: Uint32Array;
  readonly #mask: number;
  /** Length of the longest text; no longer token can match. */
  readonly longest: number;

  constructor(texts: readonly string[]) {
    let total = 0;
    let longest = 0;
    for (const text of texts) {
      total += text.length;
      if (text.length > longest) longest = text.length;
    }
    // Sequences repeat, so four bits a character keep the set sparse, and small enough for the caches.
    let size = 1 << 12;
    while (size < total * 4 && size < 1 << 24) size <<= 1;
    this.#mask = size - 1;
    this.#bits = new Uint32Array(size >>> 5);
    this.longest = longest;
    for (const text of texts) this.#add(text);
  }

  #add(text: string): void {
    let gram = 0;
    for (let i = 0; i < text.length; i++) {
      gram = (gram << 8) | ((text.charCodeAt(i) & 0xff) | 32);
      if (i < gramLength - 1) continue;
      const slot = (Math.imul(gram, 0x9e3779b1) >>> 7) & this.#mask;
      const at = slot >>> 5;
      this.#bits[at] = (this.#bits[at] as number) | (1 << (slot & 31));
    }
  }

  /**
   * False only if the ASCII text in bytes[start, end) stands in none of the texts, in capitals or not. Bit 32
   * is set everywhere: it turns capitals into small letters, and what else it makes equal costs a second look.
   */
  mayHold(bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (length > this.longest) return false;
    if (length < gramLength) return true;
    // From the end: names differ there more often than at the start.
    let i = end - gramLength;
    for (;;) {
      const gram =
        ((bytes[i] as number) << 24) |
        ((bytes[i + 1] as number) << 16) |
        ((bytes[i + 2] as number) << 8) |
        (bytes[i + 3] as number) |
        0x20202020;
      const slot = (Math.imul(gram, 0x9e3779b1) >>> 7) & this.#mask;
      if (((this.#bits[slot >>> 5] as number) & (1 << (slot & 31))) === 0) return false;
      if (i === start) return true;
      i = Math.max(start, i - gramLength + 1);
    }
  }
}
