/** Character tests on UTF-16 codes; NaN (past the end) is never any class. */

export const isDigit = (code: number): boolean => code >= 48 && code <= 57;

export const isLetter = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90);

export const isAlphanumeric = (code: number): boolean => isDigit(code) || isLetter(code);

/** [A-Za-z0-9_] */
export const isWord = (code: number): boolean => isAlphanumeric(code) || code === 95;

export const isHex = (code: number): boolean =>
  isDigit(code) || (code >= 97 && code <= 102) || (code >= 65 && code <= 70);

/** Space, tab, line feed, carriage return. */
export const isSpace = (code: number): boolean => code === 32 || code === 9 || code === 10 || code === 13;

/** Double quote, single quote, back-tick. */
export const isQuote = (code: number): boolean => code === 34 || code === 39 || code === 96;

export const isUpper = (code: number): boolean => code >= 65 && code <= 90;

/** End of the run of [A-Za-z0-9_-] that starts at `from`. */
export const runEnd = (text: string, from: number): number => {
  let end = from;
  for (let code = text.charCodeAt(end); isWord(code) || code === 45; code = text.charCodeAt(end)) end += 1;
  return end;
};
