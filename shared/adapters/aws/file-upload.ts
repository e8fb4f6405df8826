import { createHash } from "node:crypto";
import { HeadObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { ByteSource } from "../../reading/source.ts";
import type { UploadNotes } from "../local/upload-notes.ts";
import { DEFAULT_TRIES, type Tries, tried } from "./back-off.ts";
import { CONTENT_HASH, FileChangedError, type FileHashes, hashFile, readRange } from "./file-hashes.ts";
import { PartedUpload } from "./parted-upload.ts";
import { isObjectMissing, isTransient, serviceFault } from "./service-fault.ts";

const MIB = 1 << 20;
/** A file of this size is sent in parts, which can be resumed; a smaller one at once. */
export const PARTED_FROM = 16 * MIB;
/** S3 takes no more. */
const MOST_PARTS = 10_000;

export interface FileUploadOptions {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
  readonly source: ByteSource;
  readonly notes: UploadNotes;
  /** Parts under way at a time. */
  readonly parallel: number;
  /** Finds out what is to be done, and leaves it at that. */
  readonly dryRun: boolean;
  /** Called with bytes that are there, sent now or before. */
  readonly onBytes: (bytes: number) => void;
  readonly tries?: Tries;
}

/** `resumed`: parts of an earlier try were there. `unchanged`: the object itself was. */
export type FileOutcome = "uploaded" | "resumed" | "unchanged";

/**
 * Brings a file to S3, unless an object of the same content stands there. The object appears whole or not at all.
 * @throws FileChangedError, and whatever S3 answers in the end
 */
export async function uploadFile(options: FileUploadOptions): Promise<FileOutcome> {
  const { source, onBytes } = options;
  const partBytes = partBytesOf(source.size);
  const hashes = await hashFile(source, partBytes);
  if (await standsThere(options, hashes)) {
    onBytes(source.size);
    return "unchanged";
  }
  if (options.dryRun) return "uploaded";
  if (source.size < PARTED_FROM) {
    await putWhole(options, hashes);
    onBytes(source.size);
    return "uploaded";
  }
  const upload = new PartedUpload({ ...options, tries: options.tries ?? DEFAULT_TRIES, hashes, partBytes });
  try {
    return await upload.run();
  } catch (error) {
    // Another process ended the same upload, or this one did and the answer was lost: the object may be there.
    if (serviceFault(error).name === "NoSuchUpload" && (await standsThere(options, hashes)))
      return "uploaded";
    throw error;
  }
}

function partBytesOf(size: number): number {
  return Math.max(PARTED_FROM, Math.ceil(size / MOST_PARTS / MIB) * MIB);
}

async function standsThere(
  { client, bucket, key, source }: FileUploadOptions,
  { sha256 }: FileHashes,
): Promise<boolean> {
  try {
    const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return head.ContentLength === source.size && head.Metadata?.[CONTENT_HASH] === sha256;
  } catch (error) {
    // Who may only write is told that it is forbidden to look.
    if (isObjectMissing(error) || serviceFault(error).status === 403) return false;
    throw error;
  }
}

async function putWhole(options: FileUploadOptions, { sha256 }: FileHashes): Promise<void> {
  const { client, bucket, key, source } = options;
  const body = await readRange(source, { start: 0, end: source.size });
  const digest = createHash("sha256").update(body).digest();
  if (digest.toString("hex") !== sha256) throw new FileChangedError(source.name);
  const send = () =>
    client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: body,
        ChecksumSHA256: digest.toString("base64"),
        Metadata: { [CONTENT_HASH]: sha256 },
      }),
    );
  await tried(send, { tries: options.tries ?? DEFAULT_TRIES, passes: isTransient });
}
