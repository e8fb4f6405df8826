import { type Anchors, createAnchors } from "./anchor-lists.ts";
import {
  AUTH,
  DISCORD,
  ESCAPES,
  GROUP,
  KEY,
  keyGaps,
  keyTails,
  NUMBER,
  pairHits,
  REFINED,
  TOKEN,
  waysAfter,
  waysBefore,
  waysOf,
} from "./anchor-ways.ts";
import { isAlphanumeric, isDigit, isHex, isLetter, isQuote, isSpace, isUpper, isWord } from "./characters.ts";
import { endsLikeCredentialKey, keyEnd } from "./credential-key.ts";
import { isGrouped, mayGroup } from "./digit-groups.ts";
import { endsWithTokenPrefix, mayEndPrefix } from "./token-prefixes.ts";

/** Reused between texts, since most have no anchors at all. */
const anchors = createAnchors();
const lists: readonly number[][] = Object.values(anchors);

/** Characters looked at in one go, and how far before and beyond them one may have to look. */
const STRETCH = 65_536;
const FRONT = 8;
const AHEAD = 8;
/** Up to this length copying a text here is faster than calling the engine. */
const SHORT = 24;

/** Low bytes of a stretch of text: reading bytes is several times faster than reading a string. */
const bytes = Buffer.from(new ArrayBuffer(FRONT + STRETCH + 2 * AHEAD));
/** The same bytes four at a time: most start nothing. */
const words = new Uint32Array(bytes.buffer);

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
    case 112: // p of Databricks' "dapi", which has no rare character
      if (next === 105 && text.startsWith("da", index - 2)) anchors.tokenPrefix.push(index + 1);
      return;
    case 43: // +
      if (isDigit(next) || next === 40) anchors.plus.push(index);
      return;
    default:
      return;
  }
};

/** Whether the bytes before an operator rule out that a credential key ends there. */
const endsNoKey = (at: number): boolean => {
  let end = at - 1;
  while (end > FRONT && keyGaps[bytes[end] ?? 0] === 1) end -= 1;
  return end > FRONT && keyTails[(bytes[end - 1] ?? 0) | ((bytes[end] ?? 0) << 8)] === 0;
};

/** Whether the low bytes around rule out all that the character at `at` of the stretch could start. */
const startsNothing = (at: number): boolean => {
  const before = bytes[at - 1] ?? 0;
  const code = bytes[at] ?? 0;
  const open = (waysOf[code] ?? 0) & (waysAfter[before] ?? 0) & (waysBefore[bytes[at + 1] ?? 0] ?? 0);
  if (open === 0) return true;
  if ((open & ~REFINED) !== 0) return false;
  if ((open & KEY) !== 0 && !endsNoKey(at)) return false;
  if ((open & DISCORD) !== 0 && bytes[at + 7] === 46) return false;
  if ((open & TOKEN) !== 0 && mayEndPrefix(bytes[at - 2] ?? 0, before, code)) return false;
  if ((open & NUMBER) !== 0) {
    // Two digits are an address's first part or stand in an IBAN.
    const third = bytes[at + 2] ?? 0;
    return !isDigit(third) && third !== 46 && !isUpper(before);
  }
  if ((open & AUTH) !== 0) {
    const third = (bytes[at + 2] ?? 0) | 32;
    return third !== 97 && third !== 115;
  }
  return (open & GROUP) === 0 || ((bytes[at - 4] ?? 0) | 32) !== 102;
};

/** Copies a stretch with what is around it; zeros, which start nothing, stand outside of the text. */
const load = (text: string, from: number): void => {
  const size = Math.min(STRETCH + AHEAD, text.length - from);
  if (size <= SHORT) for (let at = 0; at < size; at += 1) bytes[FRONT + at] = text.charCodeAt(from + at);
  else bytes.write(size === text.length ? text : text.slice(from, from + size), FRONT, size, "latin1");
  for (let at = FRONT + size; at < FRONT + size + AHEAD; at += 1) bytes[at] = 0;
  for (let at = 0; at < FRONT; at += 1) bytes[at] = from === 0 ? 0 : text.charCodeAt(from - FRONT + at);
};

/** Where the digit run that was read last ends; it may reach into the next stretch. */
let digitsEnd = 0;
/** Whether a scanner ran, and so the lists may hold something. */
let scanned = false;
let escaped = false;

/** Whether the text that `findAnchors` read last may hold an escape. */
export const sawEscape = (): boolean => escaped;

const look = (text: string, index: number): void => {
  const code = text.charCodeAt(index);
  if (((waysOf[code & 0xff] ?? 0) & ESCAPES) !== 0) {
    escaped = true;
    return;
  }
  scanned = true;
  if (!isDigit(code)) scanOther(text, index);
  else if (index >= digitsEnd) digitsEnd = scanDigits(text, index);
};

/**
 * One pass over the text; cost is one table look-up for most characters. Undefined if no detector has
 * anything to look at. The result is valid until the next call.
 */
export const findAnchors = (text: string): Anchors | undefined => {
  if (scanned) for (const list of lists) if (list.length > 0) list.length = 0;
  scanned = false;
  escaped = false;
  digitsEnd = 0;
  const length = text.length;
  for (let from = 0; from < length; from += STRETCH) {
    load(text, from);
    const end = FRONT + Math.min(STRETCH, length - from);
    for (let at = FRONT; at < end; at += 4) {
      const word = words[at >>> 2] ?? 0;
      let hits = (pairHits[word & 0xffff] ?? 0) | ((pairHits[word >>> 16] ?? 0) << 2);
      for (let place = at; hits !== 0; place += 1, hits >>>= 1) {
        if ((hits & 1) !== 0 && !startsNothing(place)) look(text, from + place - FRONT);
      }
    }
  }
  return scanned && lists.some((list) => list.length > 0) ? anchors : undefined;
};
