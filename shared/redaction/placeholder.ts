import { isDigit } from "./characters.ts";

/** Matches what redaction puts in place of a secret: "[EMAIL_1]". */
export const placeholderPattern = /\[([A-Z][A-Z0-9_]{0,63})_(\d{1,9})\]/g;

const wholePlaceholder = /^\[[A-Z][A-Z0-9_]{0,63}_\d{1,9}\]$/;

export const isPlaceholder = (text: string): boolean => wholePlaceholder.test(text);

export const formatPlaceholder = (type: string, number: number): string => `[${type}_${number}]`;

/** A cheap test that rules out most texts before the pattern runs: a digit and "]", and "[" with a capital. */
export const mayHoldPlaceholder = (text: string): boolean => {
  for (let end = text.indexOf("]", 4); end !== -1; end = text.indexOf("]", end + 1)) {
    if (isDigit(text.charCodeAt(end - 1))) return /\[[A-Z]/.test(text);
  }
  return false;
};
