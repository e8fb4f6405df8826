/**
 * JSON that `JSON.stringify` cannot write: numbers out of range, nesting deeper than the stack, keys that stand
 * twice. Values and keys with these marks are exchanged for the raw text once the rest is written.
 */
const VALUE = "\u0001raw:";
const KEY = "\u0001key:";

export const rawValues: Readonly<Record<string, string>> = {
  huge: "1e999",
  tiny: "-1e999",
  long: "9".repeat(400),
  nan: "NaN",
  infinity: "-Infinity",
  deep: `${"[".repeat(150)}${"]".repeat(150)}`,
  deeper: `${'{"a":'.repeat(260)}1${"}".repeat(260)}`,
  bottomless: `${"[".repeat(50_000)}${"]".repeat(50_000)}`,
  surrogate: '"\\ud83d and \\udc00\\ud800"',
  nul: '"a\\u0000b"',
};

export const rawValue = (name: string): string => `${VALUE}${name}`;

/** A key that may stand beside an equal one. */
export const secondKey = (key: string): string => `${KEY}${key}`;

export function writeJson(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  if (!text.includes("\\u0001")) return text;
  return text
    .replaceAll(/"\\u0001raw:([a-z]+)"/g, (whole, name: string) => rawValues[name] ?? whole)
    .replaceAll("\\u0001key:", "")
    .replaceAll("\\u0001raw:", "");
}
