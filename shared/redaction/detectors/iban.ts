import type { Detector } from "../detector.ts";

const iban = /[A-Z]{2}\d{2}(?:[A-Z0-9]{11,30}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?)(?![A-Za-z0-9])/y;

/** Check digits of ISO 13616: the number with its head moved to the end leaves 1 modulo 97. */
export const isIbanValid = (compact: string): boolean => {
  if (compact.length < 15 || compact.length > 34) return false;
  let rest = 0;
  for (const character of compact.slice(4) + compact.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
};

/** International bank account numbers with valid check digits. Matches imply an `iban` anchor. */
export const ibanDetector: Detector = {
  name: "iban",
  detect: ({ text, anchors, add }) => {
    for (const start of anchors.iban) {
      iban.lastIndex = start;
      let match = iban.exec(text)?.[0];
      // A capitalised word may follow: drop groups until the check digits fit.
      while (match !== undefined && !isIbanValid(match.replaceAll(" ", ""))) {
        const cut = match.lastIndexOf(" ");
        match = cut > 0 ? match.slice(0, cut) : undefined;
      }
      if (match !== undefined) add({ type: "IBAN", start, end: start + match.length });
    }
  },
};
