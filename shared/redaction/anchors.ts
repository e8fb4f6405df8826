import { type Anchors, createAnchors } from "./anchor-lists.ts";
import { isAlphanumeric, isDigit, isHex, isLetter, isQuote, isSpace, isUpper, isWord } from "./characters.ts";
import { endsLikeCredentialKey, keyEnd } from "./credential-key.ts";
import { isGrouped, mayGroup } from "./digit-groups.ts";
import { beforeLast, endsWithTokenPrefix } from "./token-prefixes.ts";

/** Reused between texts, since most have no anchors at all. */
const anchors = createAnchors();
const lists: readonly number[][] = Object.values(anchors);

const DIGIT = 1;
const OTHER = 2;

/**
 * Character class by the low byte of a UTF-16 code: 0 for the many characters that start nothing. Other
 * scripts share low bytes with the characters meant, so the scanners below look at the text again.
 */
const classes = (() => {
  const table = new Uint8Array(256);
  for (let code = 48; code <= 57; code += 1) table[code] = DIGIT;
  for (const character of "@=:>-_.ABbJK+\uff1a\uff1d") table[character.charCodeAt(0) & 0xff] = OTHER;
  return table;
})();

/** Low bytes of a stretch of text: reading bytes is several times faster than reading a string. */
const bytes = Buffer.from(new ArrayBuffer(65_536));
/** The same bytes two at a time, and whether either of two starts something: most pairs do not. */
const pairs = new Uint16Array(bytes.buffer);
const pairClasses = Uint8Array.from(
  { length: 65_536 },
  (_, pair) => (classes[pair & 0xff] ?? 0) | (classes[pair >> 8] ?? 0),
);

const hasKeyBefore = (text: string, index: number): boolean => {
  const end = keyEnd(text, index);
  return endsLikeCredentialKey(text, end);
};

const scanDigits = (text: string, start: number): number => {
  let end = start + 1;
  while (isDigit(text.charCodeAt(end))) end += 1;
  const length = end - start;
  const before = text.charCodeAt(start - 1);
  if (isWord(before)) {
    if (
      length > 1 &&
      isUpper(before) &&
      isUpper(text.charCodeAt(start - 2)) &&
      !isWord(text.charCodeAt(start - 3))
    ) {
      anchors.iban.push(start - 2);
    }
    return end;
  }
  if (length <= 3 && text.charCodeAt(end) === 46 && before !== 46) {
    if (length === 1 || !isDigit(text.charCodeAt(end + 1))) return end;
    const first =
      length === 2 ? text.slice(start, end) : text.charCodeAt(start) === 49 ? text.slice(start, end) : "";
    if (first === "10" || first === "127" || first === "169" || first === "172" || first === "192") {
      anchors.ipv4.push(start);
    }
    return end;
  }
  if (length >= 11 ? length <= 19 : mayGroup(text, end) && isGrouped({ text, start, length })) {
    anchors.number.push(start);
  }
  return end;
};

const scanColon = (text: string, index: number): void => {
  const next = text.charCodeAt(index + 1);
  if (next === 47 && text.charCodeAt(index + 2) === 47) {
    anchors.url.push(index);
    return;
  }
  if (next === 65 && text.charCodeAt(index + 2) === 65 && isDigit(text.charCodeAt(index - 1))) {
    anchors.tokenPrefix.push(index); // Telegram: 123456789:AA…
  }
  if (
    (text.charCodeAt(index - 4) | 32) === 102 &&
    isHex(text.charCodeAt(index - 1)) &&
    isHex(text.charCodeAt(index - 2)) &&
    isHex(text.charCodeAt(index - 3)) &&
    !isWord(text.charCodeAt(index - 5)) &&
    text.charCodeAt(index - 5) !== 58
  ) {
    anchors.ipv6.push(index - 4);
  } else if (next === 58 && text.charCodeAt(index + 2) === 49 && text.charCodeAt(index - 1) !== 58) {
    anchors.ipv6.push(index); // ::1
  }
  if (hasKeyBefore(text, index)) anchors.assignment.push(index);
};

const scanDash = (text: string, index: number): void => {
  const next = text.charCodeAt(index + 1);
  const before = text.charCodeAt(index - 1);
  if (next === 45) {
    if (before === 45) return;
    if (text.charCodeAt(index + 5) === 66 && text.startsWith("-----BEGIN", index)) {
      anchors.pem.push(index);
      return;
    }
    if (!isLetter(text.charCodeAt(index + 2)) || isWord(before)) return;
    let end = index + 3;
    const limit = index + 48;
    for (
      let code = text.charCodeAt(end);
      end < limit && (isWord(code) || code === 45);
      code = text.charCodeAt(end)
    ) {
      end += 1;
    }
    if (endsLikeCredentialKey(text, end)) anchors.option.push(end);
    return;
  }
  if (isWord(before)) {
    if (endsWithTokenPrefix(text, index)) anchors.tokenPrefix.push(index);
    return;
  }
  if ((next === 112 || next === 117 || next === 97) && (isSpace(before) || isQuote(before))) {
    anchors.shortOption.push(index);
  }
};

/** The first part of a Discord token has at least 24 characters; looking at some of them rules out prose. */
const mayEndDiscordPart = (text: string, dot: number): boolean =>
  isTokenCharacter(text.charCodeAt(dot + 1)) &&
  isTokenCharacter(text.charCodeAt(dot - 1)) &&
  isTokenCharacter(text.charCodeAt(dot - 8)) &&
  isTokenCharacter(text.charCodeAt(dot - 16)) &&
  isTokenCharacter(text.charCodeAt(dot - 23));

const isTokenCharacter = (code: number): boolean => isWord(code) || code === 45;

const scanOther = (text: string, index: number): void => {
  const code = text.charCodeAt(index);
  const next = text.charCodeAt(index + 1);
  switch (code) {
    case 64: // @
      if (index > 0 && (isAlphanumeric(next) || next > 127)) anchors.at.push(index);
      return;
    case 61: // =
    case 62: // >
    case 0xff1a:
    case 0xff1d:
      if (hasKeyBefore(text, index)) anchors.assignment.push(index);
      return;
    case 58: // :
      scanColon(text, index);
      return;
    case 45: // -
      scanDash(text, index);
      return;
    case 95: // _
    case 46: // .
      if (endsWithTokenPrefix(text, index)) anchors.tokenPrefix.push(index);
      else if (code === 46 && text.charCodeAt(index + 7) === 46 && mayEndDiscordPart(text, index))
        anchors.tokenPrefix.push(index);
      return;
    case 65: // A: AKIA, ASIA, A3T…, AIza, ATATT
      if (isWord(text.charCodeAt(index - 1)) && text.charCodeAt(index - 1) !== 95) return;
      if (next === 75 || next === 83 || next === 73) {
        if (text.startsWith("IA", index + 2) || text.startsWith("Iza", index + 1))
          anchors.tokenPrefix.push(index + 3);
      } else if (next === 51 && text.charCodeAt(index + 2) === 84) {
        anchors.tokenPrefix.push(index + 2);
      } else if (next === 84 && (text.startsWith("ATT", index + 2) || text.startsWith("CTT", index + 2))) {
        anchors.tokenPrefix.push(index + 4);
      }
      return;
    case 66: // B
    case 98: // b
      if (
        (next | 32) === 101
          ? /^earer\s/i.test(text.slice(index + 1, index + 7))
          : (next | 32) === 97 && /^asic\s/i.test(text.slice(index + 1, index + 6))
      ) {
        if (!isWord(text.charCodeAt(index - 1))) anchors.authScheme.push(index);
      }
      return;
    case 74: // J of eyJ
      if (
        text.charCodeAt(index - 1) === 121 &&
        text.charCodeAt(index - 2) === 101 &&
        !isWord(text.charCodeAt(index - 3))
      ) {
        anchors.jwt.push(index - 2);
      }
      return;
    case 75: // SK + hex (Twilio)
      if (text.charCodeAt(index - 1) === 83 && isHex(next) && !isAlphanumeric(text.charCodeAt(index - 2))) {
        anchors.tokenPrefix.push(index);
      }
      return;
    case 43: // +
      if (isDigit(next) || next === 40) anchors.plus.push(index);
      return;
    default:
      return;
  }
};

/**
 * Whether the neighbours' low bytes already rule out all that the character at `at` could start. What `scanOther`
 * asks of the text itself, asked of the bytes: most dots, dashes and letters end here.
 */
const startsNothing = (at: number): boolean => {
  const before = bytes[at - 1] ?? 0;
  const next = bytes[at + 1] ?? 0;
  switch (bytes[at]) {
    case 95: // _
      return beforeLast[before] === 0;
    case 46: // .
      return beforeLast[before] === 0 && bytes[at + 7] !== 46;
    case 45: // -
      return beforeLast[before] === 0 && next !== 45 && next !== 112 && next !== 117 && next !== 97;
    case 43: // +
      return next !== 40 && (next < 48 || next > 57);
    case 65: // A
      return next !== 75 && next !== 83 && next !== 73 && next !== 51 && next !== 84;
    case 66: // B
    case 98: // b
      return (next | 32) === 101 ? ((bytes[at + 2] ?? 0) | 32) !== 97 : ((bytes[at + 2] ?? 0) | 32) !== 115;
    case 74: // J
      return before !== 121;
    case 75: // K
      return before !== 83;
    default:
      return false;
  }
};

/**
 * One pass over the text; cost is one table look-up for most characters. Undefined if no detector has
 * anything to look at. The result is valid until the next call.
 */
export const findAnchors = (text: string): Anchors | undefined => {
  for (const list of lists) if (list.length > 0) list.length = 0;
  const length = text.length;
  // Where the digit run being read ends; it may reach into the next stretch.
  let digitsEnd = 0;
  for (let from = 0; from < length; from += bytes.length) {
    const size = Math.min(bytes.length, length - from);
    // Anchors and their surroundings are read from the text itself, so a stretch's end hides nothing.
    bytes.write(size === length ? text : text.slice(from, from + size), 0, size, "latin1");
    // A stretch of odd length is read one byte too far, which starts nothing.
    if (size < bytes.length) bytes[size] = 0;
    for (let pair = 0; pair * 2 < size; pair += 1) {
      if (pairClasses[pairs[pair] ?? 0] === 0) continue;
      for (let at = pair * 2; at < pair * 2 + 2; at += 1) {
        const kind = classes[bytes[at] ?? 0];
        if (kind === 0) continue;
        if (kind === OTHER && at > 0 && at + 7 < size && startsNothing(at)) continue;
        const index = from + at;
        if (kind === OTHER) scanOther(text, index);
        else if (index >= digitsEnd && isDigit(text.charCodeAt(index))) digitsEnd = scanDigits(text, index);
      }
    }
  }
  // Databricks' "dapi" has no rare character to anchor on; a literal search is the cheaper way.
  const first = text.indexOf("dapi");
  if (first !== -1) {
    for (let at = first; at !== -1; at = text.indexOf("dapi", at + 4)) anchors.tokenPrefix.push(at + 3);
    anchors.tokenPrefix.sort((a, b) => a - b);
  }
  return lists.some((list) => list.length > 0) ? anchors : undefined;
};
