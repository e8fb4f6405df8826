import { FirstLine } from "./first-line.ts";
import type { ReadingLimits } from "./limits.ts";
import { LineSplitter } from "./line-splitter.ts";
import { parseRecord, RecordParseError } from "./parse-json.ts";
import type { Piece } from "./piece.ts";
import type { Fault } from "./rejection.ts";
import { ValueSplitter } from "./value-splitter.ts";

/** One value of a record framed as `lines`, or a part of it that cannot be read. Lines count from 1. */
export type ParsedValue =
  | {
      readonly kind: "value";
      readonly line: number;
      readonly value: unknown;
      readonly notes: readonly string[];
    }
  | { readonly kind: "fault"; readonly line: number; readonly fault: Fault };

/**
 * Parses the values of a record framed as `lines`, cut as the reader cut it. A log whose writer was stopped often
 * ends in a broken line: that is a fault at its place, and the other values stand.
 */
export function parseValues(
  bytes: Uint8Array,
  limits: Pick<ReadingLimits, "maxDepth" | "maxRecordBytes">,
): readonly ParsedValue[] {
  const firstLine = new FirstLine(limits.maxRecordBytes);
  const shape = firstLine.push(bytes) ?? firstLine.end();
  const parsed: ParsedValue[] = [];
  const sink = (piece: Piece): void => {
    parsed.push(parsePiece(piece, limits));
  };
  const options = { maxRecordBytes: limits.maxRecordBytes, startOffset: 0, sink };
  const splitter =
    shape === "lines" ? new LineSplitter(options) : new ValueSplitter({ ...options, list: shape });
  splitter.push(bytes);
  splitter.end();
  return parsed;
}

function parsePiece(piece: Piece, limits: Pick<ReadingLimits, "maxDepth">): ParsedValue {
  const { line } = piece.place;
  if (piece.kind === "fault") return { kind: "fault", line, fault: piece.fault };
  try {
    return { kind: "value", line, ...parseRecord(piece.bytes, limits) };
  } catch (error) {
    if (error instanceof RecordParseError) return { kind: "fault", line, fault: error };
    throw error;
  }
}
