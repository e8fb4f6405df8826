/** `JSON.rawJSON` and the source text of numbers: ECMAScript 2026, in Node since version 21. */
const { rawJSON: raw, isRawJSON } = JSON as unknown as {
  readonly rawJSON: (text: string) => unknown;
  readonly isRawJSON: (value: unknown) => boolean;
};

/** Texts that may hold a number which a double does not give back as it was written. */
const SUSPECT = /\d{16}|\d\.\d*0|\d[eE]/;

/** From here on `datasets` refuses an integer in free JSON, and with it the whole file. */
const TOO_LARGE = 2 ** 64;
const LEAST = -(2 ** 63);

/**
 * The arguments of a call; undefined where the text is no JSON object. Numbers such as 1.0 and integers of 64 bits
 * are written as they were; larger integers as fractions.
 */
export function argumentsObject(text: string): Readonly<Record<string, unknown>> | undefined {
  if (text.trim() === "") return {};
  let value: unknown;
  try {
    value = SUSPECT.test(text) ? JSON.parse(text, asWritten) : JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return value as Readonly<Record<string, unknown>>;
}

function asWritten(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || context?.source === undefined) return value;
  return String(value) === context.source && !isLarge(value) ? value : written(value, context.source);
}

function written(value: number, source: string): unknown {
  if (/^-?\d{1,20}$/.test(source)) {
    const exact = BigInt(source);
    if (exact >= BigInt(LEAST) && exact < BigInt(TOO_LARGE)) return raw(source);
  }
  if (isLarge(value)) return raw(value.toExponential());
  return /^-?\d+\.0+$/.test(source) ? raw(source) : value;
}

/** The least of 64 bits, too: a double prints it with other digits. */
function isLarge(value: number): boolean {
  return Number.isInteger(value) && (value >= TOO_LARGE || value <= LEAST);
}

/** A line of JSON whose large integers are written as fractions; what else it holds stays as it is. */
export function loadableLine(pieces: readonly string[]): readonly string[] {
  // A piece that opens with a quote is one text, whose digits are no number.
  if (!pieces.some((piece) => !piece.startsWith('"') && /\d{19}/.test(piece))) return pieces;
  return [`${JSON.stringify(JSON.parse(pieces.join(""), asWritten))}\n`];
}

/** JSON whose numbers `JSON.stringify` writes as they were: some of them are no numbers, `numberOf` gives those. */
export function parseAsWritten(json: string): unknown {
  return SUSPECT.test(json) ? JSON.parse(json, asWritten) : JSON.parse(json);
}

/** Whether a value is a number that is written as it was, which is an object. */
export const isWritten = isRawJSON;

/** JSON of a value as one has it who read it back: numbers as doubles print them, none as it was written. */
export function readBackJson(value: unknown): string {
  const text = JSON.stringify(value);
  return SUSPECT.test(text) ? JSON.stringify(JSON.parse(text)) : text;
}

export function numberOf(value: unknown): number {
  return typeof value === "number" ? value : Number((value as { readonly rawJSON: string }).rawJSON);
}
