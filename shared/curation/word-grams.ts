import { addCode, chain, hashText, mix, startHash } from "./hash.ts";

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
  if (ASCII.test(text)) return asciiWords(text);
  const words = text.normalize("NFKC").toLowerCase().match(WORD) ?? [];
  return {
    first: Uint32Array.from(words, (word) => hashText(word, 1)),
    second: Uint32Array.from(words, (word) => hashText(word, 2)),
  };
}

const ASCII = /^[\0-\x7f]*$/;

/** The same for ASCII, where a word is a run of letters and digits: hashed as it is read, in a third of the time. */
function asciiWords(text: string): Words {
  const most = (text.length + 1) >> 1;
  const first = new Uint32Array(most);
  const second = new Uint32Array(most);
  let count = 0;
  let start = 0;
  let one = startHash(1);
  let two = startHash(2);
  for (let at = 0; at <= text.length; at += 1) {
    const code = at < text.length ? lowerCase(text.charCodeAt(at)) : 0;
    if ((code >= 97 && code <= 122) || (code >= 48 && code <= 57)) {
      one = addCode(one, code);
      two = addCode(two, code);
      continue;
    }
    if (at > start) {
      first[count] = mix(one);
      second[count] = mix(two);
      count += 1;
      one = startHash(1);
      two = startHash(2);
    }
    start = at + 1;
  }
  return { first: first.slice(0, count), second: second.slice(0, count) };
}

function lowerCase(code: number): number {
  return code >= 65 && code <= 90 ? code + 32 : code;
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
