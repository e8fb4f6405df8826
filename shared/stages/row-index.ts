import { Buffer } from "node:buffer";

/** Stands for a row's place in its split while it is rendered: rows before it may yet turn out to be none. */
export const UNKNOWN_INDEX = Number.MAX_SAFE_INTEGER;

const MARK = Buffer.from(`"index":${UNKNOWN_INDEX}`);

/**
 * A line of JSON with its place in the split, where it has a column for it. The mark cannot stand in a text: there,
 * its quotes would be escaped.
 */
export function withIndex(line: Uint8Array, index: number): Uint8Array {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.length);
  const at = bytes.lastIndexOf(MARK);
  if (at < 0) return line;
  const place = Buffer.from(`"index":${index}`);
  return Buffer.concat([bytes.subarray(0, at), place, bytes.subarray(at + MARK.length)]);
}
