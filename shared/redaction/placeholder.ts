/** Matches what redaction puts in place of a secret: "[EMAIL_1]". */
export const placeholderPattern = /\[([A-Z][A-Z0-9_]{0,63})_(\d{1,9})\]/g;

const wholePlaceholder = /^\[[A-Z][A-Z0-9_]{0,63}_\d{1,9}\]$/;

export const isPlaceholder = (text: string): boolean => wholePlaceholder.test(text);

export const formatPlaceholder = (type: string, number: number): string => `[${type}_${number}]`;

/** A cheap test that rules out most texts before the pattern runs. */
export const mayHoldPlaceholder = (text: string): boolean => text.includes("]") && /\[[A-Z]/.test(text);
