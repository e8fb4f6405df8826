import { collect, memorySource, openSource, peek } from "./byte-streams.ts";
import { decode } from "./decode.ts";
import { Expansion } from "./expansion.ts";
import type { FileItem } from "./file-framing.ts";
import { FileFraming } from "./file-framing.ts";
import { HEAD_BYTES, kindOf } from "./kind.ts";
import type { ReadingLimits } from "./limits.ts";
import type { Fault, Place, Rejection } from "./rejection.ts";
import { rejectionOf } from "./rejection.ts";
import type { ByteSource, RecordFramer, SourceRecord } from "./source.ts";
import { StreamFailure } from "./stream-failure.ts";
import { zipItems } from "./zip-archive.ts";

export type ReadItem =
  | { readonly kind: "record"; readonly record: SourceRecord }
  | { readonly kind: "rejected"; readonly rejection: Rejection };

/**
 * Turns one dropped object into its records, in order, and one rejection for each thing that cannot be read. The
 * content decides what the object is, never its name. Holds at most a few records at a time, however large the
 * object. Throws only what `framer` throws, and what the source throws where its content has no part in it.
 * @throws SourceError
 */
export async function* readRecords(options: {
  readonly source: ByteSource;
  readonly limits: ReadingLimits;
  readonly framer: RecordFramer;
}): AsyncGenerator<ReadItem> {
  const { source, limits } = options;
  const place = { source: source.name };
  if (source.size > limits.maxObjectBytes) {
    yield rejected(place, {
      code: "object-too-large",
      reason: `The object is larger than ${limits.maxObjectBytes} bytes.`,
      remedy: "Drop it in smaller parts or raise the limit maxObjectBytes.",
    });
    return;
  }
  const run: Run = { ...options, expansion: new Expansion(limits, source.size), stopped: false };
  const file: VirtualFile = { place, bytes: openSource(source), random: source, archives: 0 };
  for await (const batch of readFile(run, file)) yield* batch;
}

interface Run {
  readonly limits: ReadingLimits;
  readonly framer: RecordFramer;
  readonly expansion: Expansion;
  /** Set when nothing more of the object may be read. */
  stopped: boolean;
}

/** The object itself, or an entry of an archive in it. */
interface VirtualFile {
  readonly place: { readonly source: string; readonly entry?: string };
  readonly bytes: AsyncIterable<Uint8Array>;
  /** The same bytes with random access, where that is to be had without decompression. */
  readonly random: ByteSource | undefined;
  /** Archives around this file. */
  readonly archives: number;
}

/** Items travel in batches: a generator step per row and layer would cost more than the reading. */
type Batches = AsyncGenerator<readonly ReadItem[]>;

async function* readFile(run: Run, file: VirtualFile): Batches {
  try {
    yield* readLayers(run, file);
  } catch (error) {
    if (!(error instanceof StreamFailure)) throw error;
    yield [failed(run, file, error)];
  }
}

function failed(run: Run, file: VirtualFile, failure: StreamFailure): ReadItem {
  if (failure.scope === "object") run.stopped = true;
  return rejected({ ...file.place, byteOffset: failure.byteOffset }, failure.fault);
}

/** Takes compression off until something else comes to light. */
async function* readLayers(run: Run, file: VirtualFile): Batches {
  let bytes = file.bytes;
  for (let layers = 0; ; layers += 1) {
    const peeked = await peek(bytes, HEAD_BYTES);
    const kind = kindOf(peeked.head.subarray(0, HEAD_BYTES));
    if (kind.kind === "text") {
      yield* readText(run, file, peeked.all);
      return;
    }
    if (kind.kind === "zip" && layers === 0 && file.random !== undefined) {
      await peeked.close();
      yield* readZip(run, file, file.random);
      return;
    }
    if (kind.kind === "zip") {
      yield* readPackedZip(run, file, peeked.all);
      return;
    }
    if (kind.kind === "unsupported" || layers >= run.limits.maxArchiveNesting) {
      await peeked.close();
      yield [rejected(file.place, kind.kind === "unsupported" ? kind.fault : nestedTooDeep(run.limits))];
      return;
    }
    bytes = decode({ input: peeked.all, codec: kind.kind, expansion: run.expansion });
  }
}

async function* readText(run: Run, file: VirtualFile, bytes: AsyncIterable<Uint8Array>): Batches {
  let batch: ReadItem[] = [];
  const framing = new FileFraming({
    limits: run.limits,
    framer: run.framer,
    emit: (item) => batch.push(readItem(file, item)),
  });
  try {
    for await (const chunk of bytes) {
      framing.push(chunk);
      if (batch.length > 0) {
        const ready = batch;
        batch = [];
        yield ready;
      }
      if (framing.done) break;
    }
    framing.end();
  } catch (error) {
    if (!(error instanceof StreamFailure)) throw error;
    framing.abort();
    batch.push(failed(run, file, error));
  }
  if (batch.length > 0) yield batch;
}

/** A zip inside compression or another archive: read in memory, since its directory is at its end. */
async function* readPackedZip(run: Run, file: VirtualFile, bytes: AsyncIterable<Uint8Array>): Batches {
  const whole = await collect(bytes, run.limits.maxRecordBytes);
  if (whole !== undefined) {
    yield* readZip(run, file, memorySource(file.place.source, whole));
    return;
  }
  yield [
    rejected(file.place, {
      code: "inner-archive-too-large",
      reason: `The zip inside is larger than ${run.limits.maxRecordBytes} bytes, too large to unpack in place.`,
      remedy: "Drop the inner zip by itself, or raise the limit maxRecordBytes.",
    }),
  ];
}

async function* readZip(run: Run, file: VirtualFile, source: ByteSource): Batches {
  const archives = file.archives + 1;
  if (archives > run.limits.maxArchiveNesting) {
    yield [rejected(file.place, nestedTooDeep(run.limits))];
    return;
  }
  const outer = file.place.entry === undefined ? "" : `${file.place.entry}!`;
  const maxEntries = run.limits.maxZipEntries;
  for await (const item of zipItems({ source, expansion: run.expansion, maxEntries })) {
    const place = item.name === undefined ? file.place : { ...file.place, entry: `${outer}${item.name}` };
    if (item.kind === "fault") yield [rejected(place, item.fault)];
    else yield* readFile(run, { place, bytes: item.bytes, random: item.random, archives });
    if (run.stopped) return;
  }
}

function nestedTooDeep(limits: ReadingLimits): Fault {
  return {
    code: "nested-too-deep",
    reason: `Archives or compression are nested more than ${limits.maxArchiveNesting} deep.`,
    remedy: "Unpack the inner archives before dropping them.",
  };
}

function readItem(file: VirtualFile, item: FileItem): ReadItem {
  if (item.kind === "fault") return rejected({ ...file.place, ...item.place }, item.fault);
  const { kind: _, ...record } = item;
  return { kind: "record", record: { ...file.place, ...record } };
}

function rejected(place: Place, fault: Fault): ReadItem {
  return { kind: "rejected", rejection: rejectionOf(place, fault) };
}
