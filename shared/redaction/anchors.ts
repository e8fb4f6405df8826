import { type Anchors, createAnchors } from "./anchor-lists.ts";
import { DISCORD, FIRST, KEY, pairHits, SECOND, waysAfter, waysBefore, waysOf } from "./anchor-ways.ts";
import { isAlphanumeric, isDigit, isHex, isLetter, isQuote, isSpace, isUpper, isWord } from "./characters.ts";
import { endsLikeCredentialKey, keyEnd } from "./credential-key.ts";
import { isGrouped, mayGroup } from "./digit-groups.ts";
import { endsWithTokenPrefix } from "./token-prefixes.ts";

/** Reused between texts, since most have no anchors at all. */
const anchors = createAnchors();
const lists: readonly number[][] = Object.values(anchors);

/** Characters looked at in one go, and how far beyond them one may have to look. */
const STRETCH = 65_536;
const AHEAD = 8;
/** Up to this length copying a text here is faster than calling the engine. */
const SHORT = 24;

/** Low bytes of a stretch of text: reading bytes is several times faster than reading a string. */
const bytes = Buffer.from(new ArrayBuffer(STRETCH + 2 * AHEAD));
/** The same bytes two at a time: most pairs start nothing. */
const pairs = new Uint16Array(bytes.buffer);

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

/** Whether the low bytes around rule out all that the character at `at` of the stretch could start. */
const startsNothing = (at: number, before: number): boolean => {
  const open =
    (waysOf[bytes[at] ?? 0] ?? 0) & (waysAfter[before] ?? 0) & (waysBefore[bytes[at + 1] ?? 0] ?? 0);
  if (open === DISCORD) return bytes[at + 7] !== 46;
  // Blanks before an operator: what stands before them must end a key.
  if (open === KEY && before === 32 && at > 1) return ((waysAfter[bytes[at - 2] ?? 0] ?? 0) & KEY) === 0;
  return open === 0;
};

/** Copies a stretch and what follows it; zeros, which start nothing, stand behind the end of the text. */
const load = (text: string, from: number): void => {
  const size = Math.min(STRETCH + AHEAD, text.length - from);
  if (size <= SHORT) for (let at = 0; at < size; at += 1) bytes[at] = text.charCodeAt(from + at);
  else bytes.write(size === text.length ? text : text.slice(from, from + size), 0, size, "latin1");
  for (let at = size; at < size + AHEAD; at += 1) bytes[at] = 0;
};

/** Where the digit run that was read last ends; it may reach into the next stretch. */
let digitsEnd = 0;
/** Whether a scanner ran, and so the lists may hold something. */
let scanned = false;

const look = (text: string, index: number): void => {
  scanned = true;
  const code = text.charCodeAt(index);
  if (!isDigit(code)) scanOther(text, index);
  else if (index >= digitsEnd) digitsEnd = scanDigits(text, index);
};

/**
 * One pass over the text; cost is one table look-up for most pairs of characters. Undefined if no detector has
 * anything to look at. The result is valid until the next call.
 */
export const findAnchors = (text: string): Anchors | undefined => {
  if (scanned) for (const list of lists) if (list.length > 0) list.length = 0;
  scanned = false;
  digitsEnd = 0;
  const length = text.length;
  for (let from = 0; from < length; from += STRETCH) {
    load(text, from);
    const size = Math.min(STRETCH, length - from);
    const last = from === 0 ? 0 : text.charCodeAt(from - 1) & 0xff;
    for (let pair = 0; pair * 2 < size; pair += 1) {
      const hit = pairHits[pairs[pair] ?? 0] ?? 0;
      if (hit === 0) continue;
      const at = pair * 2;
      if ((hit & FIRST) !== 0 && !startsNothing(at, at === 0 ? last : (bytes[at - 1] ?? 0)))
        look(text, from + at);
      if ((hit & SECOND) !== 0 && !startsNothing(at + 1, bytes[at] ?? 0)) look(text, from + at + 1);
    }
  }
  return scanned && lists.some((list) => list.length > 0) ? anchors : undefined;
};
