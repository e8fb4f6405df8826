import { isUtf8 } from "node:buffer";

import type { Fault } from "./rejection.ts";

/** Where one top-level value of a text begins. */
export interface PiecePlace {
  /** From 1. */
  readonly line: number;
  /** In decompressed bytes from the start of the file, BOM included. */
  readonly byteOffset: number;
  /** Ordinal in the file, from 0. */
  readonly index: number;
  readonly jsonPath?: string;
}

/** What a splitter finds, in order: the exact bytes of a value, or a part that cannot be one. */
export type Piece =
  | { readonly kind: "value"; readonly place: PiecePlace; readonly bytes: Uint8Array }
  | { readonly kind: "fault"; readonly place: PiecePlace; readonly fault: Fault };

/** Cuts a text into pieces. Chunks are given in order; pieces go to the sink it was made with. */
export interface Splitter {
  push(chunk: Uint8Array): void;
  /** The text ends here. A splitter whose text broke off is not ended. */
  end(): void;
  /** True when nothing that follows can matter. */
  readonly done: boolean;
  /** True while a value has begun and not ended. */
  readonly midValue: boolean;
}

export type PieceSink = (piece: Piece) => void;

export function oversizeFault(maxRecordBytes: number): Fault {
  return {
    code: "record-too-large",
    reason: `The record is larger than ${maxRecordBytes} bytes.`,
    remedy: "Split the record or raise the limit maxRecordBytes.",
  };
}

export const UNFINISHED: Fault = {
  code: "unfinished-json",
  reason: "The record breaks off before its JSON value is complete.",
  remedy:
    "Write the log again or drop the complete file; if a writer is still at work, wait for it to finish.",
};

const NOT_JSON: Fault = {
  code: "not-json",
  reason: "The text is not a JSON object or array.",
  remedy: "Drop JSON or JSON Lines, one object per line.",
};

const NUL_BYTES: Fault = {
  code: "nul-bytes",
  reason: "The record contains NUL bytes.",
  remedy: "The file was probably cut by a crash or a full disk; write the log again.",
};

const INVALID_UTF8: Fault = {
  code: "invalid-utf8",
  reason: "The record is not valid UTF-8.",
  remedy: "Convert the file to UTF-8.",
};

/** The fault of bytes that cannot be text, or undefined. Two native passes; no decoding. */
export function textFault(bytes: Uint8Array): Fault | undefined {
  if (bytes.includes(0)) return NUL_BYTES;
  return isUtf8(bytes) ? undefined : INVALID_UTF8;
}

const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;

export function opensValue(byte: number | undefined): boolean {
  return byte === OPEN_BRACE || byte === OPEN_BRACKET;
}

/** Judges the ends and the text of one non-empty piece; cheap enough for every row. Not a JSON check. */
export function pieceFault(bytes: Uint8Array): Fault | undefined {
  const text = textFault(bytes);
  if (text !== undefined) return text;
  const first = bytes[0];
  if (!opensValue(first)) return NOT_JSON;
  const last = bytes[bytes.length - 1];
  return last === (first === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET) ? undefined : UNFINISHED;
}

/** JSON white space: space, tab, line feed, carriage return. */
export function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** A view without the white space at both ends; empty when there is nothing else. */
export function trimmed(bytes: Uint8Array): Uint8Array {
  let start = 0;
  let end = bytes.length;
  while (start < end && isSpace(bytes[start])) start += 1;
  while (end > start && isSpace(bytes[end - 1])) end -= 1;
  return bytes.subarray(start, end);
}
