const BACKSLASH = 0x5c;
const LOWER_U = 0x75;
const ESCAPE_LENGTH = 6;
const REPLACEMENT = new TextEncoder().encode("\\ufffd");

/**
 * Replaces `\ud8xx`…`\udfxx` escapes that are not a pair with `\ufffd` (same length, so offsets stay). Returns
 * the bytes untouched, not copied, when there is nothing to replace. Python writes such halves when it cuts a
 * string inside a character.
 */
export function withoutLoneSurrogates(bytes: Uint8Array): {
  readonly bytes: Uint8Array;
  readonly count: number;
} {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let repaired: Uint8Array | undefined;
  let count = 0;
  let at = nextEscape(buffer, 0);
  while (at !== -1) {
    const unit = unitAt(bytes, at);
    if (unit === undefined || isEscaped(bytes, at)) {
      at = nextEscape(buffer, at + 2);
      continue;
    }
    const after = unitAt(bytes, at + ESCAPE_LENGTH);
    if (isHigh(unit) && after !== undefined && isLow(after)) {
      at = nextEscape(buffer, at + 2 * ESCAPE_LENGTH);
      continue;
    }
    if (isHigh(unit) || isLow(unit)) {
      // Not `slice`: that of a Buffer gives the same memory.
      repaired ??= new Uint8Array(bytes);
      repaired.set(REPLACEMENT, at);
      count += 1;
    }
    at = nextEscape(buffer, at + ESCAPE_LENGTH);
  }
  return { bytes: repaired ?? bytes, count };
}

/** Next `\ud` or `\uD`, or -1. */
function nextEscape(buffer: Buffer, from: number): number {
  let at = buffer.indexOf("\\u", from, "latin1");
  while (at !== -1 && ((buffer[at + 2] ?? 0) | 0x20) !== 0x64) at = buffer.indexOf("\\u", at + 2, "latin1");
  return at;
}

/** A backslash that is itself escaped begins no escape. */
function isEscaped(bytes: Uint8Array, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && bytes[before] === BACKSLASH) before -= 1;
  return (at - 1 - before) % 2 === 1;
}

function unitAt(bytes: Uint8Array, at: number): number | undefined {
  if (bytes[at] !== BACKSLASH || bytes[at + 1] !== LOWER_U) return undefined;
  let unit = 0;
  for (let digit = at + 2; digit < at + ESCAPE_LENGTH; digit += 1) {
    const value = hexValue(bytes[digit]);
    if (value === undefined) return undefined;
    unit = unit * 16 + value;
  }
  return unit;
}

function hexValue(byte: number | undefined): number | undefined {
  if (byte === undefined) return undefined;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
