import { chain, hashText } from "./hash.ts";

/** A run of letters and digits; a Han, Hiragana or Katakana character is a word of its own, since no blank parts them. */
const WORD =
  /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}]|[[\p{L}\p{N}\p{M}]--[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}]]+/gv;

/** Two independent 32-bit hashes of each word: together they make grams that do not meet by chance. */
export interface Words {
  readonly first: Uint32Array;
  readonly second: Uint32Array;
}

/** The words of a text: compatibility forms unified (NFKC), lower case, punctuation and white space left out. */
export function wordsOf(text: string): Words {
  const words = text.normalize("NFKC").toLowerCase().match(WORD) ?? [];
  return {
    first: Uint32Array.from(words, (word) => hashText(word, 1)),
    second: Uint32Array.from(words, (word) => hashText(word, 2)),
  };
}

/** Hashes (below 2^53) of all runs of `size` words; none where there are fewer words. */
export function* gramsOf({ first, second }: Words, size: number): Generator<number> {
  for (let at = 0; at + size <= first.length; at += 1) {
    let a = size;
    let b = size;
    for (let k = at; k < at + size; k += 1) {
      a = chain(a, first[k] ?? 0);
      b = chain(b, second[k] ?? 0);
    }
    yield a * 2 ** 21 + (b >>> 11);
  }
}
