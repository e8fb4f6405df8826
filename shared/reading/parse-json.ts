import { isAscii, isUtf8 } from "node:buffer";

import { asciiJson } from "./ascii-json.ts";
import { findJsonFault } from "./json-fault.ts";
import { nonFiniteTokens, scanJson } from "./json-scan.ts";
import type { ReadingLimits } from "./limits.ts";
import type { Fault } from "./rejection.ts";
import { withoutLoneSurrogates } from "./surrogates.ts";

/** A record that is no usable JSON. The message, like every fault, quotes no content. */
export class RecordParseError extends Error implements Fault {
  override readonly name = "RecordParseError";
  readonly code: string;
  readonly reason: string;
  readonly remedy: string;
  /** Line inside the record, from 1. */
  readonly line?: number;
  /** Byte inside that line, from 1. */
  readonly column?: number;
  /** Byte inside the record, from 0. */
  readonly offset?: number;

  constructor(
    fault: Fault,
    position?: { readonly line: number; readonly column: number; readonly offset: number },
  ) {
    const where =
      position === undefined ? "" : ` (line ${position.line}, column ${position.column} of the record)`;
    super(`${fault.reason}${where} ${fault.remedy}`);
    this.code = fault.code;
    this.reason = fault.reason;
    this.remedy = fault.remedy;
    if (position !== undefined) {
      this.line = position.line;
      this.column = position.column;
      this.offset = position.offset;
    }
  }
}

/** `notes` says what had to be changed to make the value usable; empty for most records. */
export interface ParsedRecord {
  readonly value: unknown;
  readonly notes: readonly string[];
}

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Parses one record. Nesting is bounded before anything is built. `NaN`, `Infinity` and numbers beyond a double
 * become null, and lone surrogate escapes U+FFFD, each with a note: RFC 8785 canonical JSON can carry none of
 * them. A `__proto__` key stays an own property, as `JSON.parse` makes it: harmless where values are read by own
 * key, but never copy one by assignment.
 *
 * @throws {RecordParseError} with the place inside the record.
 */
export function parseRecord(bytes: Uint8Array, limits: Pick<ReadingLimits, "maxDepth">): ParsedRecord {
  return parseSound(bytes, limits.maxDepth) ?? parseWithCare(bytes, limits.maxDepth);
}

/** Records up to this size are parsed first and looked at afterwards: what they build is bounded by it. */
const PARSE_FIRST_BYTES = 1 << 20;

/** The value of a record that needs no repair, in one pass; undefined where it has to be looked at closely. */
function parseSound(bytes: Uint8Array, maxDepth: number): ParsedRecord | undefined {
  if (bytes.length > PARSE_FIRST_BYTES || !isUtf8(bytes)) return undefined;
  if (withoutLoneSurrogates(bytes).count > 0) return undefined;
  try {
    const value: unknown = JSON.parse(textOf(bytes));
    return isSound(value, maxDepth) ? { value, notes: [] } : undefined;
  } catch {
    // Whatever is wrong, the careful way finds it again and says where.
    return undefined;
  }
}

/** No nesting beyond the bound and no number beyond a double; walks without recursion. */
function isSound(value: unknown, maxDepth: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item === "number" && !Number.isFinite(item)) return false;
      if (typeof item !== "object" || item === null) continue;
      if (depth >= maxDepth) return false;
      for (const inner of Array.isArray(item) ? item : Object.values(item)) {
        if (typeof inner !== "string") next.push(inner);
      }
    }
    level = next;
  }
  return true;
}

/** Checked UTF-8 as a string for `JSON.parse`. */
function textOf(bytes: Uint8Array): string {
  if (!isAscii(bytes)) {
    const ascii = bytes.length > PARSE_FIRST_BYTES ? undefined : asciiJson(bytes);
    return ascii ?? DECODER.decode(bytes);
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

function parseWithCare(bytes: Uint8Array, maxDepth: number): ParsedRecord {
  const scan = scanJson(bytes, maxDepth);
  if (scan.tooDeepAt !== undefined) {
    throw new RecordParseError(
      {
        code: "too-deep",
        reason: `Arrays and objects are nested more than ${maxDepth} deep.`,
        remedy: "Flatten the record or raise the limit maxDepth.",
      },
      positionAt(bytes, scan.tooDeepAt),
    );
  }
  const notes: string[] = [];
  let usable = bytes;
  if (scan.suspectNumber) {
    const replaced = withNulls(usable);
    usable = replaced.bytes;
    if (replaced.count > 0) notes.push(`${replaced.count} numbers that are not finite became null`);
  }
  const surrogates = withoutLoneSurrogates(usable);
  usable = surrogates.bytes;
  if (surrogates.count > 0) notes.push(`${surrogates.count} lone surrogates became U+FFFD`);
  return { value: parseText(usable, bytes), notes };
}

function parseText(usable: Uint8Array, original: Uint8Array): unknown {
  if (!isUtf8(usable)) {
    throw new RecordParseError({
      code: "invalid-utf8",
      reason: "The record is not valid UTF-8.",
      remedy: "Convert the file to UTF-8.",
    });
  }
  try {
    return JSON.parse(textOf(usable));
  } catch {
    // The engine's error is left behind on purpose: its message quotes the text.
    throw syntaxError(original);
  }
}

function syntaxError(bytes: Uint8Array): RecordParseError {
  const latin1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const fault = findJsonFault(latin1);
  if (fault === undefined || fault.kind === "truncated") {
    return new RecordParseError(
      {
        code: "unfinished-json",
        reason: "The record breaks off before its JSON value is complete.",
        remedy: "Drop the complete file; if a writer is still at work, wait for it to finish.",
      },
      positionAt(bytes, fault?.offset ?? bytes.length),
    );
  }
  return new RecordParseError(
    {
      code: "invalid-json",
      reason: "The record is not valid JSON.",
      remedy: "Write the record again as JSON (RFC 8259).",
    },
    positionAt(bytes, fault.offset),
  );
}

function positionAt(bytes: Uint8Array, offset: number) {
  let line = 1;
  let lineStart = 0;
  for (;;) {
    const newline = bytes.indexOf(0x0a, lineStart);
    if (newline === -1 || newline >= offset) return { line, column: offset - lineStart + 1, offset };
    line += 1;
    lineStart = newline + 1;
  }
}

const NULL = new TextEncoder().encode("null");

/** Replaces bare tokens that are no finite number. Two passes, so that memory does not follow their count. */
function withNulls(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly count: number } {
  let count = 0;
  let growth = 0;
  for (const { start, end } of nonFiniteTokens(bytes)) {
    count += 1;
    growth += NULL.length - (end - start);
  }
  if (count === 0) return { bytes, count };
  const replaced = new Uint8Array(bytes.length + growth);
  let read = 0;
  let written = 0;
  for (const { start, end } of nonFiniteTokens(bytes)) {
    replaced.set(bytes.subarray(read, start), written);
    written += start - read;
    replaced.set(NULL, written);
    written += NULL.length;
    read = end;
  }
  replaced.set(bytes.subarray(read), written);
  return { bytes: replaced, count };
}
