import { UsageError } from "./usage-error.ts";

/** What `--seed` says. @throws UsageError */
export function seedOf(text: string): number {
  const seed = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(seed)) return seed;
  throw new UsageError(`--seed takes a whole number, not "${text}"`);
}
