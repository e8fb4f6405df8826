import { parsePhoneNumberFromString } from "libphonenumber-js/min";
import { isWord } from "../characters.ts";
import type { Detector } from "../detector.ts";

/** "+" and up to 15 digits in groups. */
const international = /\+(?:\d|[ .-](?=[\d(])|\((?=\d)|\)(?=[ \d-])){7,24}/y;
const chinese = /(?:0086|86)?1[3-9]\d(?:\d{8}|([ -])\d{4}\1\d{4}|([ -])\d{3}\2\d{5})(?![\w]|[.-]\d)/y;
const chineseLandline = /0(?:10|2\d|[3-9]\d{2})-\d{7,8}(?![\w]|[.-]\d)/y;
const american = /(?:[2-9]\d{2}([ .-])[2-9]\d{2}\1\d{4}|[2-9]\d{2}\) ?[2-9]\d{2}-\d{4})(?![\w]|[.-]\d)/y;

const matchAt = (pattern: RegExp, text: string, at: number): string | undefined => {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
};

/** A number that continues a longer one, a decimal or an identifier is no phone number. */
const startsNumber = (text: string, start: number): boolean => {
  const before = text.charCodeAt(start - 1);
  if (isWord(before)) return false;
  return !(
    (before === 46 || before === 45) &&
    /\d/.test(text.charAt(start - 2)) &&
    !/(?:^|\D)(?:86|1)-$/.test(text.slice(Math.max(0, start - 4), start))
  );
};

/**
 * Phone numbers: E.164 with separators (checked against the numbering plans), mainland-China
 * mobile and landline forms, North-American forms. Matches imply a `plus` or `number` anchor.
 */
export const phone: Detector = {
  name: "phone",
  detect: ({ text, anchors, add }) => {
    for (const start of anchors.plus) {
      if (isWord(text.charCodeAt(start - 1)) || text.charCodeAt(start - 1) === 41) continue;
      let match = matchAt(international, text, start);
      // The run may have taken in digits of what follows: drop groups until the plan fits.
      while (match !== undefined && match.length >= 8) {
        const trimmed = match.replace(/[ .()-]+$/, "");
        const after = text.charCodeAt(start + trimmed.length);
        if (!isWord(after) && parsePhoneNumberFromString(trimmed)?.isValid() === true) {
          add({ type: "PHONE", start, end: start + trimmed.length });
          break;
        }
        const cut = Math.max(trimmed.lastIndexOf(" "), trimmed.lastIndexOf("-"), trimmed.lastIndexOf("."));
        match = cut > 0 ? trimmed.slice(0, cut) : undefined;
      }
    }
    for (const start of anchors.number) {
      if (!startsNumber(text, start)) continue;
      const found =
        matchAt(chinese, text, start) ??
        matchAt(chineseLandline, text, start) ??
        matchAt(american, text, start);
      if (found !== undefined) {
        const open = found.includes(")") && text.charCodeAt(start - 1) === 40 ? 1 : 0;
        if (found.includes(")") && open === 0) continue;
        add({ type: "PHONE", start: start - open, end: start + found.length });
      }
    }
  },
};
