import { createHash } from "node:crypto";
import type { ByteSource } from "../../reading/source.ts";

/** Metadata of an uploaded object: SHA-256 of its content, in hex. */
export const CONTENT_HASH = "gymline-sha256";

export interface FileHashes {
  /** Of all bytes, in hex. */
  readonly sha256: string;
  /** Of each part, in base64, as S3 writes it. */
  readonly parts: readonly string[];
}

/** The file is shorter than it was when it was listed, or has other bytes than when it was read before. */
export class FileChangedError extends Error {
  override readonly name = "FileChangedError";
  constructor(name: string) {
    super(`${name} was changed while it was uploaded: drop it again once its writer has finished`);
  }
}

/** Reads a file once, in little memory. @throws FileChangedError */
export async function hashFile(source: ByteSource, partBytes: number): Promise<FileHashes> {
  const whole = createHash("sha256");
  const parts: string[] = [];
  let part = createHash("sha256");
  let filled = 0;
  let read = 0;
  for await (const chunk of source.open()) {
    whole.update(chunk);
    read += chunk.length;
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + partBytes - filled);
      part.update(piece);
      at += piece.length;
      filled += piece.length;
      if (filled < partBytes) continue;
      parts.push(part.digest("base64"));
      part = createHash("sha256");
      filled = 0;
    }
  }
  if (read < source.size) throw new FileChangedError(source.name);
  if (filled > 0) parts.push(part.digest("base64"));
  return { sha256: whole.digest("hex"), parts };
}

/** Bytes of a range in memory. @throws FileChangedError where there are fewer */
export async function readRange(
  source: ByteSource,
  range: { readonly start: number; readonly end: number },
): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(range.end - range.start);
  let at = 0;
  for await (const chunk of source.open(range)) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  if (at < bytes.length) throw new FileChangedError(source.name);
  return bytes;
}
