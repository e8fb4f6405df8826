import { isDigit } from "./characters.ts";

/** Whether the digits are the first group of a phone, card or id number written in groups. */
export const isGrouped = (input: {
  readonly text: string;
  readonly start: number;
  readonly length: number;
}): boolean => {
  const { text, start, length } = input;
  const separator = text.charCodeAt(start + length);
  if (separator === 41) return length === 3 && text.charCodeAt(start - 1) === 40;
  const after = start + length + 1;
  switch (length) {
    case 3:
      // 138-1234-5678, 415-555-2671, 123-45-6789, 010-12345678
      return (
        text.charCodeAt(after + 4) === separator ||
        text.charCodeAt(after + 3) === separator ||
        text.charCodeAt(after + 2) === separator ||
        (text.charCodeAt(start) === 48 && separator === 45 && isDigit(text.charCodeAt(after + 6)))
      );
    case 4:
      // 4111 1111 1111 1111, 3782 822463 10005, 0755-12345678
      return (
        text.charCodeAt(after + 4) === separator ||
        text.charCodeAt(after + 6) === separator ||
        (text.charCodeAt(start) === 48 && separator === 45 && isDigit(text.charCodeAt(after + 6)))
      );
    case 6:
      // 622202 1234567890123
      return isDigit(text.charCodeAt(after + 9));
    default:
      return false;
  }
};

/** A separator before more digits, or the closing bracket of "(415) 555-2671". */
export const mayGroup = (text: string, end: number): boolean => {
  const code = text.charCodeAt(end);
  if (code === 41) return true;
  return (code === 32 || code === 45) && isDigit(text.charCodeAt(end + 1));
};
