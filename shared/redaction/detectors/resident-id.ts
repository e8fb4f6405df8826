import { isDigit, isWord } from "../characters.ts";
import type { Detector } from "../detector.ts";

const current =
  /[1-8]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\w]|\.\d)/y;
const old = /[1-8]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?![\w]|\.\d)/y;

/** Province codes of GB/T 2260. */
const provinces = new Set(
  "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83".split(
    " ",
  ),
);

const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** Check character of GB 11643 (ISO 7064, MOD 11-2). */
export const isResidentIdValid = (id: string): boolean => {
  let sum = 0;
  for (const [index, weight] of weights.entries()) sum += (id.charCodeAt(index) - 48) * weight;
  return "10X98765432".charAt(sum % 11) === id.charAt(17).toUpperCase();
};

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

const daysIn = (year: number, month: number): number =>
  month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;

const hasDate = (id: string, year: number, at: number): boolean =>
  Number(id.slice(at + 2, at + 4)) <= daysIn(year, Number(id.slice(at, at + 2)));

/** Mainland-China resident ids: 18 characters with checksum, or the old 15 digits. Matches imply a `number` anchor. */
export const residentId: Detector = {
  name: "resident-id",
  detect: ({ text, anchors, add }) => {
    for (const start of anchors.number) {
      const before = text.charCodeAt(start - 1);
      if (isWord(before) || (before === 46 && isDigit(text.charCodeAt(start - 2)))) continue;
      if (!provinces.has(text.slice(start, start + 2))) continue;
      current.lastIndex = start;
      const id = current.exec(text)?.[0];
      if (id !== undefined) {
        if (isResidentIdValid(id) && hasDate(id, Number(id.slice(6, 10)), 10)) {
          add({ type: "RESIDENT_ID", start, end: start + 18 });
        }
        continue;
      }
      old.lastIndex = start;
      const short = old.exec(text)?.[0];
      // The third to sixth digit name a district; 00 stands for none.
      if (
        short !== undefined &&
        short.slice(2, 4) !== "00" &&
        hasDate(short, 1900 + Number(short.slice(6, 8)), 8)
      ) {
        add({ type: "RESIDENT_ID", start, end: start + 15 });
      }
    }
  },
};
