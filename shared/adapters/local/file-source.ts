import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";

import type { ByteSource } from "../../reading/source.ts";

const CHUNK_BYTES = 1024 * 1024;

/**
 * A local file as a source. `size` is that of the listing: a file that has grown since is read up to it, so that
 * one pass sees one version of an append-only log. Each chunk is a buffer of its own; the next one is read while
 * the caller works on the last.
 */
export function fileSource(file: {
  readonly path: string;
  /** Name of the source. */
  readonly key: string;
  readonly size: number;
}): ByteSource {
  return {
    name: file.key,
    size: file.size,
    open: (range) => readRange(file.path, range ?? { start: 0, end: file.size }),
  };
}

async function* readRange(
  path: string,
  range: { readonly start: number; readonly end: number },
): AsyncGenerator<Uint8Array> {
  const handle = await open(path, "r");
  let pending: Promise<Uint8Array> | undefined;
  try {
    let position = range.start;
    pending = readAt(handle, position, range.end);
    for (;;) {
      const chunk = await pending;
      pending = undefined;
      if (chunk.length === 0) return;
      position += chunk.length;
      pending = readAt(handle, position, range.end);
      yield chunk;
    }
  } finally {
    // A read under way must end before its file is closed; its result no longer matters.
    await pending?.catch(() => undefined);
    await handle.close();
  }
}

async function readAt(handle: FileHandle, position: number, end: number): Promise<Uint8Array> {
  const wanted = Math.min(CHUNK_BYTES, end - position);
  if (wanted <= 0) return new Uint8Array(0);
  const buffer = Buffer.allocUnsafeSlow(wanted);
  const { bytesRead } = await handle.read(buffer, 0, wanted, position);
  return buffer.subarray(0, bytesRead);
}
