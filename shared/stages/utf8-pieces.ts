import { Buffer } from "node:buffer";

/** More than this is not kept for the next use. */
const KEPT_BYTES = 4 << 20;
/** From this length on, counting a text's bytes is cheaper than room for the most it could take. */
const LONG_TEXT = 1 << 20;

let memory = Buffer.allocUnsafeSlow(256 << 10);

/**
 * Writes texts one after another as UTF-8 and hands the bytes to `use`; they are good until it returns, since the
 * memory is used again. A long text costs several times less in pieces than whole: a single character beyond Latin-1
 * makes the engine's whole string twice as large and slow to encode.
 */
export function withUtf8<T>(pieces: Iterable<string>, use: (bytes: Buffer) => T): T {
  let length = 0;
  for (const piece of pieces) {
    // A UTF-16 unit takes at most three bytes.
    const room = piece.length < LONG_TEXT ? piece.length * 3 : Buffer.byteLength(piece);
    if (length + room > memory.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length + room, memory.length * 2));
      memory.copy(larger, 0, 0, length);
      memory = larger;
    }
    length += memory.write(piece, length, "utf8");
  }
  const bytes = memory.subarray(0, length);
  if (memory.length > KEPT_BYTES) memory = Buffer.allocUnsafeSlow(256 << 10);
  return use(bytes);
}
