import { joined } from "./carry.ts";
import type { ByteRange, ByteSource } from "./source.ts";
import { SourceError } from "./source-error.ts";
import { StreamFailure } from "./stream-failure.ts";

/** Bounds the work done between two yields, however large the chunks of a source are. */
const MAX_CHUNK = 1024 * 1024;

/**
 * The bytes of a source in chunks of at most 1 MiB. An error of the source becomes a `StreamFailure`, unless it says
 * that the object is no bad input, only not to be had: that one ends the reading.
 * @throws SourceError
 */
export async function* openSource(source: ByteSource, range?: ByteRange): AsyncGenerator<Uint8Array> {
  let offset = range?.start ?? 0;
  const end = range?.end ?? source.size;
  try {
    for await (const chunk of source.open(range)) {
      for (let at = 0; at < chunk.length; at += MAX_CHUNK) yield chunk.subarray(at, at + MAX_CHUNK);
      offset += chunk.length;
    }
  } catch (error) {
    if (error instanceof SourceError) throw error;
    throw new StreamFailure({ fault: unreadable(error), byteOffset: offset, cause: error });
  }
  if (offset < end) throw new StreamFailure({ fault: SHRANK, byteOffset: offset });
}

const SHRANK = {
  code: "changed-while-read",
  reason: "The object is shorter than it was when it was listed.",
  remedy: "Drop it again once its writer has finished.",
} as const;

function unreadable(error: unknown) {
  const code =
    error instanceof Error && "code" in error && typeof error.code === "string" ? ` (${error.code})` : "";
  return {
    code: "unreadable",
    reason: `The object cannot be read${code}.`,
    remedy: "Check that it still exists and may be read, then drop it again.",
  };
}

/** Part of a source as a source of its own. */
export function sliceSource(source: ByteSource, slice: ByteRange): ByteSource {
  return {
    name: source.name,
    size: slice.end - slice.start,
    open: (range) =>
      source.open({
        start: slice.start + (range?.start ?? 0),
        end: range === undefined ? slice.end : Math.min(slice.end, slice.start + range.end),
      }),
  };
}

/** Bytes in memory as a source. */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    async *open(range) {
      const part = range === undefined ? bytes : bytes.subarray(range.start, range.end);
      if (part.length > 0) yield part;
    },
  };
}

export interface Peeked {
  /** At least the bytes asked for, unless the stream is shorter. */
  readonly head: Uint8Array;
  /** The whole stream, head included, as its first chunk; read it at most once. */
  readonly all: AsyncGenerator<Uint8Array>;
  /** Ends the stream unread. */
  close(): Promise<void>;
}

/** A failure while peeking is kept for the reader of `all`, so that what came before it is read. */
export async function peek(stream: AsyncIterable<Uint8Array>, wanted: number): Promise<Peeked> {
  const iterator = stream[Symbol.asyncIterator]();
  const parts: Uint8Array[] = [];
  let length = 0;
  let rest: Rest = { kind: "more", iterator };
  while (length < wanted && rest.kind === "more") {
    try {
      const next = await iterator.next();
      if (next.done === true) {
        rest = { kind: "ended" };
      } else {
        parts.push(next.value);
        length += next.value.length;
      }
    } catch (failure) {
      if (!(failure instanceof StreamFailure)) throw failure;
      rest = { kind: "failed", failure };
    }
  }
  const [only] = parts;
  const head = parts.length === 1 && only !== undefined ? only : joined(parts, length);
  const close = async (): Promise<void> => {
    await iterator.return?.();
  };
  return { head, all: resume(head, rest), close };
}

type Rest =
  | { readonly kind: "more"; readonly iterator: AsyncIterator<Uint8Array> }
  | { readonly kind: "ended" }
  | { readonly kind: "failed"; readonly failure: StreamFailure };

async function* resume(head: Uint8Array, rest: Rest): AsyncGenerator<Uint8Array> {
  try {
    if (head.length > 0) yield head;
    if (rest.kind === "failed") throw rest.failure;
    while (rest.kind === "more") {
      const next = await rest.iterator.next();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    if (rest.kind === "more") await rest.iterator.return?.();
  }
}

/** The whole stream in memory, or undefined once it passes `limit` bytes. */
export async function collect(
  stream: AsyncIterable<Uint8Array>,
  limit: number,
): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > limit) return undefined;
    parts.push(chunk);
  }
  return joined(parts, length);
}
