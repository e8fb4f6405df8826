/** More characters beyond ASCII than one in so many bytes cost more to escape than they save. */
const SPARSE = 64;
/** Bytes that one such character may take more as an escape: an emoji takes 12 for 4. */
const GROWTH = 8;
/** More than this is not kept for the next use. */
const KEPT_BYTES = 4 << 20;

let memory = Buffer.allocUnsafeSlow(256 << 10);

/**
 * The same JSON in ASCII, with `\u` escapes for the few characters beyond it; undefined where there are many. A
 * single such character makes the engine's string of a whole record twice as large and parsing it twice as slow. The
 * bytes must be UTF-8; what is no JSON does not become any.
 */
export function asciiJson(bytes: Uint8Array): string | undefined {
  const { length } = bytes;
  let left = Math.floor(length / SPARSE);
  const room = length + left * GROWTH;
  if (memory.length < room) memory = Buffer.allocUnsafeSlow(Math.max(room, memory.length * 2));
  const ascii = memory;
  if (ascii.length > KEPT_BYTES) memory = Buffer.allocUnsafeSlow(256 << 10);
  let read = 0;
  let written = 0;
  for (let at = nextForeign(bytes, 0); at < length; at = nextForeign(bytes, read)) {
    // An escape behind a backslash would give it another meaning.
    if (left === 0 || bytes[at - 1] === BACKSLASH) return undefined;
    left -= 1;
    ascii.set(bytes.subarray(read, at), written);
    written += at - read;
    read = at + sequenceLength(bytes[at] ?? 0);
    written += ascii.write(escaped(bytes, at), written, "latin1");
  }
  ascii.set(bytes.subarray(read), written);
  return ascii.toString("latin1", 0, written + length - read);
}

const BACKSLASH = 0x5c;

/** Index of the next byte beyond ASCII, or the length. */
function nextForeign(bytes: Uint8Array, from: number): number {
  let at = from;
  const { length } = bytes;
  for (; at < length && ((bytes.byteOffset + at) & 3) !== 0; at += 1) {
    if ((bytes[at] ?? 0) > 0x7f) return at;
  }
  if (at === length) return length;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (length - at) >> 2);
  let word = 0;
  while (word < words.length && ((words[word] ?? 0) & 0x80808080) === 0) word += 1;
  at += word * 4;
  while (at < length && (bytes[at] ?? 0) <= 0x7f) at += 1;
  return at;
}

function sequenceLength(lead: number): number {
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

function escaped(bytes: Uint8Array, at: number): string {
  const lead = bytes[at] ?? 0;
  const rest = (index: number): number => (bytes[at + index] ?? 0) & 0x3f;
  if (lead < 0xe0) return unit(((lead & 0x1f) << 6) | rest(1));
  if (lead < 0xf0) return unit(((lead & 0x0f) << 12) | (rest(1) << 6) | rest(2));
  const beyond = (((lead & 0x07) << 18) | (rest(1) << 12) | (rest(2) << 6) | rest(3)) - 0x10000;
  return unit(0xd800 | (beyond >> 10)) + unit(0xdc00 | (beyond & 0x3ff));
}

function unit(code: number): string {
  return `\\u${code.toString(16).padStart(4, "0")}`;
}
