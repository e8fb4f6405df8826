import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import type { Entry, ZipFile } from "yauzl";
import { fromRandomAccessReaderPromise, RandomAccessReader } from "yauzl";

import { collect, openSource, sliceSource } from "./byte-streams.ts";
import { decode } from "./decode.ts";
import type { Expansion } from "./expansion.ts";
import type { Fault } from "./rejection.ts";
import type { ByteRange, ByteSource } from "./source.ts";
import { SourceError } from "./source-error.ts";
import { StreamFailure } from "./stream-failure.ts";
import type { EntryVerdict } from "./zip-entry.ts";
import { judgeEntry } from "./zip-entry.ts";

/** Directory records are read in blocks: an archive has many, and each open of a source costs. */
const BLOCK_BYTES = 256 * 1024;

const CORRUPT: Fault = {
  code: "zip-corrupt",
  reason: "The zip's directory cannot be read on; entries after this point are lost.",
  remedy: "Copy the archive again; if its writer was stopped, repair it or pack the logs again.",
};

const CORRUPT_ENTRY: Fault = {
  code: "zip-entry-corrupt",
  reason: "The entry's bytes do not match the zip's directory.",
  remedy: "Copy the archive again, or pack the logs again.",
};

const EMPTY: Fault = {
  code: "empty-archive",
  reason: "The zip names no file that could be a log.",
  remedy: "Leave it out of the drop; if it should hold logs, copy the archive again.",
};

const DUPLICATE: Fault = {
  code: "duplicate-entry",
  reason: "An entry of the same name came earlier in the archive.",
  remedy: "Pack the archive again with one entry per name.",
};

/** One thing met in a zip, in directory order. */
export type ZipItem =
  | {
      readonly kind: "entry";
      readonly name: string;
      readonly bytes: AsyncIterable<Uint8Array>;
      /** Only for stored entries. */
      readonly random: ByteSource | undefined;
    }
  | { readonly kind: "fault"; readonly name?: string; readonly fault: Fault };

/** Lists a zip; each entry's bytes can be read until the next item is asked for. */
export async function* zipItems(options: {
  readonly source: ByteSource;
  readonly expansion: Expansion;
  readonly maxEntries: number;
}): AsyncGenerator<ZipItem> {
  const { source, maxEntries } = options;
  const reader = new SourceReader(source);
  const zip = await openZip(reader, source.size);
  reader.check();
  if (zip === undefined) {
    yield { kind: "fault", fault: reader.failure ?? CORRUPT };
    return;
  }
  const entries = zip.eachEntry();
  const seen = new Set<string>();
  let skipped = 0;
  for (let count = 0; ; count += 1) {
    let next: IteratorResult<Entry>;
    try {
      next = await entries.next();
    } catch {
      reader.check();
      yield { kind: "fault", fault: reader.failure ?? CORRUPT };
      return;
    }
    if (next.done === true) {
      if (count === skipped) yield { kind: "fault", fault: EMPTY };
      return;
    }
    if (count >= maxEntries) {
      yield { kind: "fault", fault: tooMany(maxEntries) };
      return;
    }
    const verdict = judgeEntry(next.value);
    if (verdict.kind === "skip") {
      skipped += 1;
      continue;
    }
    if (verdict.kind === "fault") {
      yield verdict;
    } else if (seen.has(verdict.name)) {
      yield { kind: "fault", name: verdict.name, fault: DUPLICATE };
    } else {
      seen.add(verdict.name);
      yield await entryItem({ ...options, reader, zip, entry: next.value, verdict });
    }
  }
}

function tooMany(maxEntries: number): Fault {
  return {
    code: "too-many-entries",
    reason: `The archive holds more than ${maxEntries} entries; the rest is not read.`,
    remedy: "Drop it in smaller parts or raise the limit maxZipEntries.",
  };
}

async function openZip(reader: SourceReader, size: number): Promise<ZipFile | undefined> {
  try {
    // Names and sizes are judged entry by entry here, so that one bad entry does not end the archive.
    const options = {
      autoClose: false,
      decodeStrings: false,
      validateEntrySizes: false,
      strictFileNames: true,
    };
    return await fromRandomAccessReaderPromise(reader, size, options);
  } catch {
    return undefined;
  }
}

interface OpenEntry {
  readonly source: ByteSource;
  readonly expansion: Expansion;
  readonly reader: SourceReader;
  readonly zip: ZipFile;
  readonly entry: Entry;
  readonly verdict: EntryVerdict & { readonly kind: "read" };
}

async function entryItem(open: OpenEntry): Promise<ZipItem> {
  const { entry, verdict, source } = open;
  let start: number;
  try {
    start = (await open.zip.readLocalFileHeaderPromise(entry, { minimal: true })).fileDataStart;
  } catch {
    open.reader.check();
    return { kind: "fault", name: verdict.name, fault: CORRUPT_ENTRY };
  }
  const range = { start, end: start + entry.compressedSize };
  const random = verdict.codec === "stored" ? sliceSource(source, range) : undefined;
  return { kind: "entry", name: verdict.name, bytes: entryBytes(open, range), random };
}

/** The entry's bytes; fails at the end when size or CRC-32 differ from the directory. */
async function* entryBytes(open: OpenEntry, range: ByteRange): AsyncGenerator<Uint8Array> {
  const { entry, verdict, source, expansion } = open;
  const input = openSource(source, range);
  const output = verdict.codec === "stored" ? input : decode({ input, codec: verdict.codec, expansion });
  let size = 0;
  let checksum = 0;
  for await (const chunk of output) {
    size += chunk.length;
    checksum = crc32(chunk, checksum);
    if (verdict.codec === "stored") expansion.add(chunk.length, { read: size, expanded: size });
    yield chunk;
  }
  if (size !== entry.uncompressedSize || checksum !== entry.crc32)
    throw new StreamFailure({ fault: CORRUPT_ENTRY });
}

/** Lets the zip reader read any part of a source. */
class SourceReader extends RandomAccessReader {
  readonly #source: ByteSource;
  #block: { readonly start: number; readonly bytes: Uint8Array } = { start: 0, bytes: new Uint8Array(0) };
  /** The source's own fault, if that was what failed. */
  failure: Fault | undefined;
  #unavailable: SourceError | undefined;

  constructor(source: ByteSource) {
    super();
    this.#source = source;
  }

  /** @throws SourceError where it was no fault of the zip that something could not be read */
  check(): void {
    if (this.#unavailable !== undefined) throw this.#unavailable;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.#fill(buffer.subarray(offset, offset + length), position).then(
      () => callback(null),
      (error: unknown) =>
        callback(error instanceof Error ? error : new Error("unreadable", { cause: error })),
    );
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(openSource(this.#source, { start, end }));
  }

  async #fill(target: Uint8Array, position: number): Promise<void> {
    const end = position + target.length;
    if (!Number.isSafeInteger(position) || position < 0 || end > this.#source.size)
      throw new Error("outside the zip");
    const { start, bytes } = this.#block;
    if (position < start || end > start + bytes.length) {
      const range = {
        start: position,
        end: Math.min(this.#source.size, Math.max(end, position + BLOCK_BYTES)),
      };
      this.#block = { start: position, bytes: await this.#load(range) };
    }
    const from = position - this.#block.start;
    target.set(this.#block.bytes.subarray(from, from + target.length));
  }

  async #load(range: ByteRange): Promise<Uint8Array> {
    try {
      const bytes = await collect(openSource(this.#source, range), range.end - range.start);
      if (bytes !== undefined) return bytes;
    } catch (error) {
      if (error instanceof StreamFailure) this.failure = error.fault;
      if (error instanceof SourceError) this.#unavailable = error;
      throw error;
    }
    throw new Error("the source gave more bytes than asked for");
  }
}
