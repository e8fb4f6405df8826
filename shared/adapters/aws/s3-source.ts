import { Readable } from "node:stream";
import { GetObjectCommand, HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { ByteRange, ByteSource } from "../../reading/source.ts";
import {
  SourceBrokenError,
  SourceChangedError,
  type SourceError,
  SourceGoneError,
} from "../../reading/source-error.ts";
import { backOff, DEFAULT_TRIES, type Tries, tried } from "./back-off.ts";
import { isObjectMissing, isTransient, serviceFault } from "./service-fault.ts";

/** State of an S3 object, which changes whenever the object does. */
export interface S3ObjectState {
  readonly eTag: string;
  /** In bytes. */
  readonly size: number;
  /** Where the bucket keeps versions. */
  readonly versionId?: string;
}

export interface S3Source extends ByteSource {
  readonly state: S3ObjectState;
}

export interface S3SourceOptions {
  readonly client: S3Client;
  readonly bucket: string;
  /** Any key that S3 takes; also the name of the source. */
  readonly key: string;
  readonly tries?: Tries;
  /** Bytes that come along when it is opened: an object of no more takes one request in all. Default: none. */
  readonly ahead?: number;
}

/** What a catalog remembers of an object that was read. An ETag of an event has no quotes, that of a response has. */
export function s3Fingerprint({ eTag, size, versionId }: S3ObjectState): string {
  const parts = [eTag.replaceAll('"', ""), String(size), ...(versionId === undefined ? [] : [versionId])];
  return parts.join(":");
}

/**
 * One object as a source: all that is read of it is read of the object that stood there when it was opened. A
 * connection that breaks is opened again at the byte where it broke; only tries in a row that bring nothing count.
 * Reading throws SourceError only. Needs s3:ListBucket, without which S3 answers "forbidden" where an object is missing.
 * @throws SourceGoneError
 */
export async function s3Source(options: S3SourceOptions): Promise<S3Source> {
  const { key, ahead = 0 } = options;
  try {
    const { state, start } = ahead > 0 ? await begin(options, ahead) : await look(options);
    const whole = { start: 0, end: state.size };
    return {
      name: key,
      size: state.size,
      state,
      open: (range) => withStart(options, { state, start, range: range ?? whole }),
    };
  } catch (error) {
    throw translated(key, error);
  }
}

interface Begun {
  readonly state: S3ObjectState;
  /** The first bytes of the object. */
  readonly start: Uint8Array;
}

async function look({ client, bucket, key }: S3SourceOptions): Promise<Begun> {
  const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
  return { state: stateOf(head, head.ContentLength ?? 0), start: new Uint8Array(0) };
}

/** One request for the first bytes, which says as well what a request for the head says. */
async function begin(options: S3SourceOptions, ahead: number): Promise<Begun> {
  const { client, bucket, key, tries = DEFAULT_TRIES } = options;
  const load = async (): Promise<Begun> => {
    const answer = await client.send(
      new GetObjectCommand({ Bucket: bucket, Key: key, Range: `bytes=0-${ahead - 1}` }),
    );
    const start = (await answer.Body?.transformToByteArray()) ?? new Uint8Array(0);
    const total = /\/([0-9]+)$/.exec(answer.ContentRange ?? "")?.[1];
    const size = total === undefined ? (answer.ContentLength ?? start.length) : Number(total);
    if (start.length < Math.min(size, ahead))
      throw new CutShortError("the response ended before its last byte");
    return { state: stateOf(answer, size), start };
  };
  const passes = (error: unknown): boolean => error instanceof CutShortError || isTransient(error);
  try {
    return await tried(load, { tries, passes });
  } catch (error) {
    // An empty object has no first byte.
    if (serviceFault(error).status !== 416) throw error;
    return look(options);
  }
}

function stateOf(
  { ETag, VersionId }: { readonly ETag?: string | undefined; readonly VersionId?: string | undefined },
  size: number,
): S3ObjectState {
  return { eTag: ETag ?? "", size, ...(VersionId === undefined ? {} : { versionId: VersionId }) };
}

async function* withStart(
  options: S3SourceOptions,
  { state, start, range }: Begun & { readonly range: ByteRange },
): AsyncGenerator<Uint8Array> {
  const end = Math.min(range.end, state.size);
  // A copy, which `slice` of a Buffer is not: what a source gave belongs to the caller.
  if (range.start < Math.min(start.length, end)) yield new Uint8Array(start.subarray(range.start, end));
  yield* read(options, state, { start: Math.max(range.start, start.length), end });
}

/** Bytes that show that a connection works, so that a large object may break more often than a small one. */
const PROGRESS_BYTES = 1 << 20;

async function* read(
  options: S3SourceOptions,
  state: S3ObjectState,
  range: ByteRange,
): AsyncGenerator<Uint8Array> {
  const tries = options.tries ?? DEFAULT_TRIES;
  const end = Math.min(range.end, state.size);
  let position = range.start;
  let failures = 0;
  let brokeAt = position;
  while (position < end) {
    try {
      for await (const chunk of await request(options, state, { start: position, end })) {
        position += chunk.length;
        yield chunk;
      }
      if (position < end) throw new CutShortError("the response ended before its last byte");
    } catch (error) {
      if (position - brokeAt >= PROGRESS_BYTES) failures = 0;
      brokeAt = position;
      failures += 1;
      const passing = error instanceof CutShortError || isTransient(error);
      if (!passing || failures >= tries.tries) throw translated(options.key, error);
      await backOff(failures, tries);
    }
  }
}

class CutShortError extends Error {
  override readonly name = "CutShortError";
}

async function request(
  { client, bucket, key }: S3SourceOptions,
  { eTag }: S3ObjectState,
  { start, end }: ByteRange,
): Promise<AsyncIterable<Uint8Array>> {
  const { Body } = await client.send(
    new GetObjectCommand({ Bucket: bucket, Key: key, IfMatch: eTag, Range: `bytes=${start}-${end - 1}` }),
  );
  if (!(Body instanceof Readable)) throw new CutShortError("the response has no body");
  return Body;
}

function translated(key: string, cause: unknown): SourceError {
  if (serviceFault(cause).status === 412) return new SourceChangedError(key, { cause });
  if (isObjectMissing(cause)) return new SourceGoneError(key, { cause });
  return new SourceBrokenError(key, { cause });
}
