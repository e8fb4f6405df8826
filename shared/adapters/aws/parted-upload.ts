import { createHash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  type ListPartsCommandOutput,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { ByteSource } from "../../reading/source.ts";
import type { UploadNotes } from "../local/upload-notes.ts";
import { type Tries, tried } from "./back-off.ts";
import { eachOf } from "./batches.ts";
import { CONTENT_HASH, FileChangedError, type FileHashes, readRange } from "./file-hashes.ts";
import { isTransient, serviceFault } from "./service-fault.ts";

export interface PartedUploadOptions {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
  readonly source: ByteSource;
  readonly hashes: FileHashes;
  readonly partBytes: number;
  readonly notes: UploadNotes;
  readonly parallel: number;
  readonly onBytes: (bytes: number) => void;
  readonly tries: Tries;
}

/**
 * The upload of a large file in parts. One that was broken off is gone on with where a note tells that it is of the
 * same content; each part that is there must have the hash that the file's part has.
 */
export class PartedUpload {
  readonly #options: PartedUploadOptions;
  readonly #place: { readonly Bucket: string; readonly Key: string };

  constructor(options: PartedUploadOptions) {
    this.#options = options;
    this.#place = { Bucket: options.bucket, Key: options.key };
  }

  async run(): Promise<"uploaded" | "resumed"> {
    const { hashes, notes, bucket, key, parallel } = this.#options;
    const begun = await this.#begun();
    const uploadId = begun?.uploadId ?? (await this.#create());
    const parts = begun?.parts ?? new Map<number, CompletedPart>();
    for (const number of parts.keys()) this.#report(number);
    const numbers = hashes.parts.map((_, index) => index + 1).filter((number) => !parts.has(number));
    try {
      await eachOf(numbers, parallel, async (number) => {
        parts.set(number, await this.#sendPart(uploadId, number));
        this.#report(number);
      });
    } catch (error) {
      // Its parts are of use to nobody. After any other error they wait for the next try.
      if (error instanceof FileChangedError) await this.#abort(uploadId);
      throw error;
    }
    const Parts = hashes.parts.flatMap((_, index) => parts.get(index + 1) ?? []);
    await this.#tried(() =>
      this.#options.client.send(
        new CompleteMultipartUploadCommand({
          ...this.#place,
          UploadId: uploadId,
          MultipartUpload: { Parts },
        }),
      ),
    );
    notes.drop({ bucket, key });
    return numbers.length < hashes.parts.length ? "resumed" : "uploaded";
  }

  /** What an earlier try got done of this very content. */
  async #begun(): Promise<
    { readonly uploadId: string; readonly parts: Map<number, CompletedPart> } | undefined
  > {
    const { notes, bucket, key, hashes, partBytes } = this.#options;
    const note = notes.find({ bucket, key });
    if (note === undefined) return undefined;
    if (note.sha256 !== hashes.sha256 || note.partBytes !== partBytes) {
      await this.#abort(note.uploadId);
      return undefined;
    }
    try {
      return { uploadId: note.uploadId, parts: await this.#partsOf(note.uploadId) };
    } catch (error) {
      // It was aborted meanwhile, or cleaned up by a lifecycle rule.
      if (serviceFault(error).name !== "NoSuchUpload") throw error;
      notes.drop({ bucket, key });
      return undefined;
    }
  }

  async #partsOf(UploadId: string): Promise<Map<number, CompletedPart>> {
    const { client, hashes } = this.#options;
    const parts = new Map<number, CompletedPart>();
    let marker: string | undefined;
    do {
      const command = new ListPartsCommand({ ...this.#place, UploadId, PartNumberMarker: marker });
      const page: ListPartsCommandOutput = await client.send(command);
      for (const { PartNumber = 0, ETag, ChecksumSHA256 } of page.Parts ?? []) {
        const own = hashes.parts[PartNumber - 1];
        if (own !== undefined && own === ChecksumSHA256)
          parts.set(PartNumber, { PartNumber, ETag, ChecksumSHA256 });
      }
      marker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
    } while (marker !== undefined);
    return parts;
  }

  async #create(): Promise<string> {
    const { client, hashes, partBytes, notes, bucket, key } = this.#options;
    const { UploadId } = await this.#tried(() =>
      client.send(
        new CreateMultipartUploadCommand({
          ...this.#place,
          ChecksumAlgorithm: "SHA256",
          Metadata: { [CONTENT_HASH]: hashes.sha256 },
        }),
      ),
    );
    if (UploadId === undefined) throw new Error(`S3 gave no id for the upload of ${key}`);
    notes.keep({ bucket, key, sha256: hashes.sha256, partBytes, uploadId: UploadId });
    return UploadId;
  }

  async #sendPart(UploadId: string, PartNumber: number): Promise<CompletedPart> {
    const { client, source, hashes } = this.#options;
    const Body = await readRange(source, this.#rangeOf(PartNumber));
    const ChecksumSHA256 = createHash("sha256").update(Body).digest("base64");
    if (ChecksumSHA256 !== hashes.parts[PartNumber - 1]) throw new FileChangedError(source.name);
    const command = { ...this.#place, UploadId, PartNumber, Body, ChecksumSHA256 };
    const { ETag } = await this.#tried(() => client.send(new UploadPartCommand(command)));
    return { PartNumber, ETag, ChecksumSHA256 };
  }

  async #abort(UploadId: string): Promise<void> {
    const { client, notes, bucket, key } = this.#options;
    notes.drop({ bucket, key });
    try {
      await client.send(new AbortMultipartUploadCommand({ ...this.#place, UploadId }));
    } catch (error) {
      if (serviceFault(error).name !== "NoSuchUpload") throw error;
    }
  }

  #rangeOf(number: number): { readonly start: number; readonly end: number } {
    const { partBytes, source } = this.#options;
    return { start: (number - 1) * partBytes, end: Math.min(number * partBytes, source.size) };
  }

  #report(number: number): void {
    const { start, end } = this.#rangeOf(number);
    this.#options.onBytes(end - start);
  }

  #tried<T>(work: () => Promise<T>): Promise<T> {
    return tried(work, { tries: this.#options.tries, passes: isTransient });
  }
}
