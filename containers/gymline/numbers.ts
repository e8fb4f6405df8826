import { UsageError } from "./usage-error.ts";

/** The digits of a whole number from 0 on, for a script that reads them. @throws UsageError */
export function digits(option: string, text: string): string {
  if (/^\d{1,9}$/.test(text)) return text;
  throw new UsageError(`${option} takes a whole number, not "${text}"`);
}

/** What `--seed` says. @throws UsageError */
export function seedOf(text: string): number {
  const seed = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(seed)) return seed;
  throw new UsageError(`--seed takes a whole number, not "${text}"`);
}
