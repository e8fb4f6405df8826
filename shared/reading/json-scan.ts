const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LOWER_E = 0x65;
const UPPER_E = 0x45;

/**
 * A number no longer than this, and with an exponent of at most two digits, cannot overflow a double (about
 * 1.8e308): 200 digits and e99 make less than 1e300.
 */
const LONG_NUMBER = 200;

export interface JsonScan {
  /** Deepest nesting of arrays and objects; the scan stops once it passes the bound. */
  readonly depth: number;
  /** Where the bound was passed, in bytes. */
  readonly tooDeepAt?: number;
  /** A bare token that may not be a finite number stands outside the strings. */
  readonly suspectNumber: boolean;
}

/** Looks over one JSON text without parsing it. Strings are skipped; grammar is not checked. */
export function scanJson(bytes: Uint8Array, maxDepth: number): JsonScan {
  const length = bytes.length;
  let depth = 0;
  let deepest = 0;
  let suspectNumber = false;
  let at = 0;
  while (at < length) {
    const byte = bytes[at];
    at += 1;
    if (byte === QUOTE) {
      at = stringEnd(bytes, at);
    } else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > deepest) {
        deepest = depth;
        if (depth > maxDepth) return { depth, tooDeepAt: at - 1, suspectNumber };
      }
    } else if (byte === 0x7d || byte === 0x5d) {
      depth -= 1;
    } else if (byte === 0x4e || byte === 0x49) {
      suspectNumber = true;
    } else if (byte !== undefined && byte >= 0x30 && byte <= 0x39) {
      const start = at;
      at = numberEnd(bytes, at);
      if (!suspectNumber && (at - start > LONG_NUMBER || hasLargeExponent(bytes, start, at)))
        suspectNumber = true;
    }
  }
  return { depth: deepest, suspectNumber };
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Bare tokens that are no finite number: `NaN`, `Infinity`, `-Infinity` (which Python's json module writes) and
 * numbers beyond a double, such as `1e999`.
 */
export function* nonFiniteTokens(bytes: Uint8Array): Generator<Span> {
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = stringEnd(bytes, at + 1);
    } else if (byte === 0x2d || byte === 0x4e || byte === 0x49 || isDigit(byte)) {
      const end = tokenEnd(bytes, at);
      if (isNonFinite(bytes, at, end)) yield { start: at, end };
      at = end;
    } else {
      at += 1;
    }
  }
}

/** Index after the closing quote; `from` is the first byte inside the string. */
function stringEnd(bytes: Uint8Array, from: number): number {
  const length = bytes.length;
  let at = from;
  // Never reads beyond the end: that would make the engine give up its fast path for the whole loop.
  while (at < length) {
    const byte = bytes[at];
    at += 1;
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at += 1;
  }
  return length;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function numberEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    const byte = bytes[at];
    if (
      !isDigit(byte) &&
      byte !== LOWER_E &&
      byte !== UPPER_E &&
      byte !== 0x2e &&
      byte !== 0x2b &&
      byte !== 0x2d
    ) {
      return at;
    }
    at += 1;
  }
}

/** True when a number's exponent is positive and has three digits or more. */
function hasLargeExponent(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    if (bytes[at] !== LOWER_E && bytes[at] !== UPPER_E) continue;
    const sign = bytes[at + 1];
    return sign !== 0x2d && end - at - (sign === 0x2b ? 2 : 1) > 2;
  }
  return false;
}

function tokenEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    const byte = bytes[at];
    const letter = byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
    if (!letter && !isDigit(byte) && byte !== 0x2e && byte !== 0x2b && byte !== 0x2d) return at;
    at += 1;
  }
}

const JSON_NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

function isNonFinite(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length < 3) return false;
  const first = bytes[start] === 0x2d ? bytes[start + 1] : bytes[start];
  if (isDigit(first) && length <= LONG_NUMBER && !hasLargeExponent(bytes, start, end)) return false;
  const token = new TextDecoder("latin1").decode(bytes.subarray(start, end));
  if (token === "NaN" || token === "Infinity" || token === "-Infinity") return true;
  return JSON_NUMBER.test(token) && !Number.isFinite(Number(token));
}
