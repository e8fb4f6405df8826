import { tokenPrefixes } from "./token-prefixes.ts";

/**
 * A way in which a character can start something: which characters may stand before and after it. Undefined is any.
 * Other scripts share low bytes with the characters meant, so a way says what must stand there, never what must not.
 */
interface Way {
  readonly of: string;
  readonly before?: string | undefined;
  readonly next?: string | undefined;
}

const DIGITS = "0123456789";
const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** What may stand before the operator behind a credential key: the key's last letter, quotes, blanks, operators. */
const KEY_ENDS = `destnywhlDESTNYWHL${DIGITS}\u7801\u4ee4\u94a5\u724c\u30c9\ud638:=? \t"'\`\\]`;

const beforeLast = (last: string): string =>
  tokenPrefixes
    .filter(({ literal }) => literal.endsWith(last))
    .map(({ literal }) => literal.charAt(literal.length - 2))
    .join("");

/** The first part of a Discord token; the caller looks for the second dot. */
const discord: Way = { of: ".", before: `${LETTERS}${DIGITS}_-`, next: `${LETTERS}${DIGITS}_-` };
const key: Way = { of: "=:>\uff1a\uff1d", before: KEY_ENDS };

const ways: readonly Way[] = [
  key,
  discord,
  // A digit alone is no number worth a look.
  { of: DIGITS, next: DIGITS },
  { of: "@" },
  { of: ":", next: "/" },
  { of: ":", before: DIGITS, next: "A" },
  { of: ":", before: `${DIGITS}abcdefABCDEF` },
  { of: ":", next: ":" },
  { of: "-", next: "-" },
  { of: "-", before: " \t\n\r\"'`", next: "pua" },
  { of: "-", before: beforeLast("-") },
  { of: "_", before: beforeLast("_") },
  { of: ".", before: beforeLast(".") },
  { of: "A", next: "KSI3T" },
  { of: "Bb", next: "eEaA" },
  { of: "J", before: "y" },
  { of: "K", before: "S" },
  { of: "+", next: `${DIGITS}(` },
  { of: "p", before: "a", next: "i" }, // "dapi"
];

/** One bit for each way, by the low byte of a character. */
const bits = (pick: (way: Way) => string | undefined): Int32Array => {
  const table = new Int32Array(256);
  for (const [index, way] of ways.entries()) {
    const characters = pick(way);
    if (characters === undefined)
      for (let code = 0; code < 256; code += 1) table[code] = (table[code] ?? 0) | (1 << index);
    else
      for (const character of characters) {
        const code = character.charCodeAt(0) & 0xff;
        table[code] = (table[code] ?? 0) | (1 << index);
      }
  }
  return table;
};

/** The ways of a character, those its predecessor lets be, and those its successor does: all three must share one. */
export const waysOf = bits(({ of }) => of);
export const waysAfter = bits(({ before }) => before);
export const waysBefore = bits(({ next }) => next);

export const KEY = 1 << ways.indexOf(key);
export const DISCORD = 1 << ways.indexOf(discord);

/** In two bytes read as one number, the first (1) or the second (2) may start something by what the other is. */
export const FIRST = 1;
export const SECOND = 2;
export const pairHits = Uint8Array.from({ length: 65_536 }, (_, pair) => {
  const first = pair & 0xff;
  const second = pair >> 8;
  return (
    (((waysOf[first] ?? 0) & (waysBefore[second] ?? 0)) === 0 ? 0 : FIRST) |
    (((waysOf[second] ?? 0) & (waysAfter[first] ?? 0)) === 0 ? 0 : SECOND)
  );
});
