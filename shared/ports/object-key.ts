/** A key that would leave the store, or that not every store can hold. */
export class InvalidKeyError extends Error {
  override readonly name = "InvalidKeyError";
  readonly key: string;
  constructor(key: string, reason: string) {
    super(`${JSON.stringify(key)} is no valid key: ${reason}`);
    this.key = key;
  }
}

/** In UTF-8 bytes: what S3 takes as a key, and a file system as a name. */
const MAX_KEY = 1024;
const MAX_SEGMENT = 255;

/**
 * The segments of a key: a relative path without empty, `.` or `..` segments, NUL, backslash or lone surrogates,
 * short enough for S3 and for file systems.
 * @throws InvalidKeyError
 */
export function keySegments(key: string): readonly string[] {
  if (!key.isWellFormed()) throw new InvalidKeyError(key, "it has a lone surrogate");
  if (Buffer.byteLength(key) > MAX_KEY) throw new InvalidKeyError(key, `it is longer than ${MAX_KEY} bytes`);
  const segments = key.split("/");
  for (const segment of segments) {
    if (segment === "" || segment === "." || segment === "..") {
      throw new InvalidKeyError(key, "it has an empty, `.` or `..` segment");
    }
    if (segment.includes("\0") || segment.includes("\\")) {
      throw new InvalidKeyError(key, "it has a NUL or backslash");
    }
    if (Buffer.byteLength(segment) > MAX_SEGMENT) {
      throw new InvalidKeyError(key, `a segment is longer than ${MAX_SEGMENT} bytes`);
    }
  }
  return segments;
}
