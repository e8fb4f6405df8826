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
/** Two digits at least; the caller looks at what follows. */
const number: Way = { of: DIGITS, next: DIGITS };
/** The last character of a provider's prefix; the caller looks at the one before the last two. */
const tokens: readonly Way[] = ["-", "_", "."].map((last) => ({ of: last, before: beforeLast(last) }));
/** "Bearer", "Basic"; the caller looks at the third letter. */
const auth: Way = { of: "Bb", next: "eEaA" };
/** The end of the first group of a private IPv6 address; the caller looks for its f. */
const group: Way = { of: ":", before: `${DIGITS}abcdefABCDEF` };
/** What `blankEscapes` may have to blank. */
const escapes: readonly Way[] = [
  { of: "\\", next: "abfnrtvux0" },
  { of: "%", next: `${DIGITS}abcdefABCDEF` },
  { of: "\u001b" },
];
const key: Way = { of: "=:>\uff1a\uff1d", before: KEY_ENDS };

const ways: readonly Way[] = [
  key,
  discord,
  auth,
  group,
  ...escapes,
  ...tokens,
  number,
  { of: "@" },
  { of: ":", next: "/" },
  { of: ":", before: DIGITS, next: "A" },
  { of: ":", next: ":" },
  { of: "-", next: "-" },
  { of: "-", before: " \t\n\r\"'`", next: "pua" },
  { of: "A", next: "KSI3T" },
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

const mask = (...some: readonly Way[]): number =>
  some.reduce((sum, way) => sum | (1 << ways.indexOf(way)), 0);

export const KEY = mask(key);
export const DISCORD = mask(discord);
export const NUMBER = mask(number);
export const TOKEN = mask(...tokens);
export const AUTH = mask(auth);
export const GROUP = mask(group);
export const ESCAPES = mask(...escapes);
/** The ways that say more than the two neighbours do. */
export const REFINED = KEY | DISCORD | NUMBER | TOKEN | AUTH | GROUP;

/** In two bytes read as one number, the first (1) or the second (2) may start something by what the other is. */
const FIRST = 1;
const SECOND = 2;
export const pairHits = Uint8Array.from({ length: 65_536 }, (_, pair) => {
  const first = pair & 0xff;
  const second = pair >> 8;
  return (
    (((waysOf[first] ?? 0) & (waysBefore[second] ?? 0)) === 0 ? 0 : FIRST) |
    (((waysOf[second] ?? 0) & (waysAfter[first] ?? 0)) === 0 ? 0 : SECOND)
  );
});

/** What stands between a key and its operator, by low byte. */
export const keyGaps = new Uint8Array(256);
for (const character of ":=? \t\"'`\\]") keyGaps[character.charCodeAt(0)] = 1;

/** Whether a key may end in two bytes, read as one number; the last one decides for digits and other scripts. */
export const keyTails = new Uint8Array(65_536);
for (const tail of [
  "rd",
  "wd",
  "se",
  "de",
  "ie",
  "ss",
  "ls",
  "et",
  "at",
  "en",
  "on",
  "ey",
  "pw",
  "th",
  "al",
]) {
  for (const first of [tail.charAt(0), tail.charAt(0).toUpperCase()]) {
    for (const last of [tail.charAt(1), tail.charAt(1).toUpperCase()])
      keyTails[first.charCodeAt(0) | (last.charCodeAt(0) << 8)] = 1;
  }
}
for (const last of `${DIGITS}\u7801\u4ee4\u94a5\u724c\u30c9\ud638`) {
  const row = (last.charCodeAt(0) & 0xff) << 8;
  keyTails.fill(1, row, row + 256);
}
