import { isWord } from "../characters.ts";
import type { Detector } from "../detector.ts";

const card =
  /(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{5}|\d{4}([ -])\d{6}\3\d{4}|\d{6}[ -]\d{10,13})(?![\w]|\.\d|-\d)/y;

/** Issuer ranges with their lengths (ISO/IEC 7812 as published by the card schemes). */
const issuers: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720))/, [16]],
  [/^3[47]/, [15]],
  [/^3(?:0[0-5]|[689])/, [14, 16, 19]],
  [/^35/, [16, 17, 18, 19]],
  [/^62/, [16, 17, 18, 19]],
  [/^(?:6011|64[4-9]|65)/, [16, 19]],
  [/^(?:50|5[6-9]|6[0379])/, [16, 17, 18, 19]],
  [/^220[0-4]/, [16, 17, 18, 19]],
];

/** Luhn check digit (ISO/IEC 7812-1, annex B). */
export const isLuhnValid = (digits: string): boolean => {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48;
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
};

/** Payment-card numbers with a known issuer range and a valid check digit. Matches imply a `number` anchor. */
export const bankCard: Detector = {
  name: "bank-card",
  detect: ({ text, anchors, add }) => {
    for (const start of anchors.number) {
      const before = text.charCodeAt(start - 1);
      if (isWord(before) || ((before === 46 || before === 45) && /\d/.test(text.charAt(start - 2)))) continue;
      card.lastIndex = start;
      const match = card.exec(text)?.[0];
      if (match === undefined) continue;
      const digits = match.replace(/[ -]/g, "");
      if (/^(\d)\1+$/.test(digits) || !isLuhnValid(digits)) continue;
      if (issuers.some(([pattern, lengths]) => lengths.includes(digits.length) && pattern.test(digits))) {
        add({ type: "BANK_CARD", start, end: start + match.length });
      }
    }
  },
};
