import { randomUUID } from "node:crypto";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { InvalidKeyError, keySegments } from "../../ports/object-key.ts";
import { ObjectNotFoundError, type ObjectStore, type ObjectWriter } from "../../ports/object-store.ts";
import { SourceGoneError } from "../../reading/source-error.ts";
import { backOff, DEFAULT_TRIES, type Tries, tried } from "./back-off.ts";
import { eachOf } from "./batches.ts";
import { MultipartWriter } from "./multipart-writer.ts";
import { listObjects, someVersions } from "./s3-listing.ts";
import { s3Source } from "./s3-source.ts";
import { isObjectMissing, isTransient, serviceFault } from "./service-fault.ts";
import { WRITE_MARK } from "./write-mark.ts";

/** In UTF-8 bytes. */
const MAX_KEY = 1024;
/** Versions removed at a time. */
const ERASING = 8;

/**
 * Object store in a bucket, or in the part of it under `prefix`, which is put before each key as it is. What lies
 * there under a key that the port does not know (a "folder" made in the console) is not listed. Needs s3:ListBucket,
 * without which S3 answers "forbidden" where an object is missing.
 */
export class S3Store implements ObjectStore {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #tries: Tries;

  constructor(options: {
    readonly client: S3Client;
    readonly bucket: string;
    readonly prefix?: string;
    readonly tries?: Tries;
  }) {
    this.#client = options.client;
    this.#bucket = options.bucket;
    this.#prefix = options.prefix ?? "";
    this.#tries = options.tries ?? DEFAULT_TRIES;
  }

  async read(key: string): Promise<Uint8Array> {
    const place = this.#place(key);
    const load = async (): Promise<Uint8Array> => {
      const { Body } = await this.#client.send(new GetObjectCommand(place));
      return (await Body?.transformToByteArray()) ?? new Uint8Array(0);
    };
    try {
      // The client tries requests again by itself, but not one whose body broke off.
      return await tried(load, { tries: this.#tries, passes: isTransient });
    } catch (cause) {
      if (isObjectMissing(cause)) throw new ObjectNotFoundError(key, { cause });
      throw cause;
    }
  }

  async *stream(key: string): AsyncIterable<Uint8Array> {
    const { Bucket: bucket, Key } = this.#place(key);
    try {
      const source = await s3Source({ client: this.#client, bucket, key: Key, tries: this.#tries });
      yield* source.open();
    } catch (cause) {
      if (cause instanceof SourceGoneError) throw new ObjectNotFoundError(key, { cause });
      throw cause;
    }
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#client.send(new PutObjectCommand({ ...this.#place(key), Body: bytes }));
  }

  async putIfAbsent(key: string, bytes: Uint8Array): Promise<"created" | "exists"> {
    const place = this.#place(key);
    const mark = randomUUID();
    const Metadata = { [WRITE_MARK]: mark };
    for (let failures = 1; ; failures += 1) {
      try {
        await this.#client.send(new PutObjectCommand({ ...place, Body: bytes, Metadata, IfNoneMatch: "*" }));
        return "created";
      } catch (error) {
        const { status, attempts } = serviceFault(error);
        if (status === 412) {
          const own = (attempts > 1 || failures > 1) && (await this.#isMarked(place, mark));
          return own ? "created" : "exists";
        }
        // Another write of the same key was under way: only once it has ended is it known who was first.
        if (status !== 409 || failures >= this.#tries.tries) throw error;
        await backOff(failures, this.#tries);
      }
    }
  }

  async writer(key: string): Promise<ObjectWriter> {
    const { Key } = this.#place(key);
    return new MultipartWriter({
      client: this.#client,
      bucket: this.#bucket,
      key: Key,
      mark: randomUUID(),
    });
  }

  async exists(key: string): Promise<boolean> {
    const place = this.#place(key);
    try {
      await this.#client.send(new HeadObjectCommand(place));
      return true;
    } catch (error) {
      if (isObjectMissing(error)) return false;
      throw error;
    }
  }

  async *list(prefix: string): AsyncIterable<{ readonly key: string; readonly size: number }> {
    const where = { client: this.#client, bucket: this.#bucket, prefix: this.#prefix + prefix };
    for await (const { key, size } of listObjects(where)) {
      const own = key.slice(this.#prefix.length);
      if (isKey(own)) yield { key: own, size };
    }
  }

  async remove(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#place(key)));
  }

  async erase(key: string): Promise<void> {
    const place = this.#place(key);
    const where = { client: this.#client, bucket: this.#bucket, key: place.Key };
    for (;;) {
      // From the start each time: a page that went on behind a version that is gone by now might miss some.
      const versions = await someVersions(where);
      if (versions.length === 0) return;
      await eachOf(versions, ERASING, async (VersionId) => {
        await this.#client.send(new DeleteObjectCommand({ ...place, VersionId }));
      });
    }
  }

  #place(key: string): { readonly Bucket: string; readonly Key: string } {
    keySegments(key);
    const Key = this.#prefix + key;
    if (Buffer.byteLength(Key) > MAX_KEY) {
      throw new InvalidKeyError(key, `with the prefix of the store it is longer than ${MAX_KEY} bytes`);
    }
    return { Bucket: this.#bucket, Key };
  }

  async #isMarked(place: { readonly Bucket: string; readonly Key: string }, mark: string): Promise<boolean> {
    try {
      const { Metadata } = await this.#client.send(new HeadObjectCommand(place));
      return Metadata?.[WRITE_MARK] === mark;
    } catch (error) {
      if (isObjectMissing(error)) return false;
      throw error;
    }
  }
}

function isKey(key: string): boolean {
  try {
    keySegments(key);
    return true;
  } catch (error) {
    if (error instanceof InvalidKeyError) return false;
    throw error;
  }
}
