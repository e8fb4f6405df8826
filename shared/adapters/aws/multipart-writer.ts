import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { ObjectWriter } from "../../ports/object-store.ts";
import { serviceFault } from "./service-fault.ts";
import { WRITE_MARK } from "./write-mark.ts";

const MIB = 1 << 20;
/** Parts under way; with the one that is being filled they are all that a writer holds in memory. */
const PARALLEL = 4;
/** S3 takes 10,000 parts of at least 5 MiB: 16 GiB in small parts, 500 GiB more in large ones. */
const SMALL_PARTS = 2000;

function partSize(number: number): number {
  return number <= SMALL_PARTS ? 8 * MIB : 64 * MIB;
}

/** The writer was finished or aborted already. */
export class WriterClosedError extends Error {
  override readonly name = "WriterClosedError";
}

/**
 * Uploads an object of unknown size in parts. What fits into one part is put at once, without an upload to finish.
 * The object appears when S3 has put the parts together, and never before.
 */
export class MultipartWriter implements ObjectWriter {
  readonly #client: S3Client;
  readonly #place: { readonly Bucket: string; readonly Key: string };
  readonly #mark: string;
  #state: "open" | "finished" | "aborted" = "open";
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #upload: Promise<string> | undefined;
  #started = 0;
  readonly #done: { readonly PartNumber: number; readonly ETag: string | undefined }[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #fault: { readonly error: unknown } | undefined;

  /** `mark` tells this write from every other one. */
  constructor(options: {
    readonly client: S3Client;
    readonly bucket: string;
    readonly key: string;
    readonly mark: string;
  }) {
    this.#client = options.client;
    this.#place = { Bucket: options.bucket, Key: options.key };
    this.#mark = options.mark;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#check();
    // A copy: the caller may fill its buffer anew once this resolves, and the bytes are sent later.
    this.#pieces.push(new Uint8Array(bytes));
    this.#bytes += bytes.length;
    while (this.#bytes > partSize(this.#started + 1)) await this.#sendPart(partSize(this.#started + 1));
  }

  async finish(): Promise<void> {
    this.#check();
    if (this.#upload === undefined) {
      await this.#client.send(
        new PutObjectCommand({ ...this.#place, Body: this.#take(this.#bytes), Metadata: this.#metadata() }),
      );
    } else {
      if (this.#bytes > 0) await this.#sendPart(this.#bytes);
      await Promise.all(this.#underWay);
      this.#check();
      await this.#complete(await this.#upload);
    }
    this.#state = "finished";
  }

  async abort(): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "aborted";
    this.#pieces = [];
    this.#bytes = 0;
    // A part that arrives after the abort would stay, and be paid for, so all of them must have ended.
    await Promise.all(this.#underWay);
    const UploadId = await this.#upload?.catch(() => undefined);
    if (UploadId === undefined) return;
    try {
      await this.#client.send(new AbortMultipartUploadCommand({ ...this.#place, UploadId }));
    } catch (error) {
      if (serviceFault(error).name !== "NoSuchUpload") throw error;
    }
  }

  #check(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
    if (this.#state !== "open") {
      throw new WriterClosedError(`the writer of ${this.#place.Key} is ${this.#state}: open another one`);
    }
  }

  #metadata(): Record<string, string> {
    return { [WRITE_MARK]: this.#mark };
  }

  async #sendPart(size: number): Promise<void> {
    const Body = this.#take(size);
    this.#started += 1;
    const PartNumber = this.#started;
    this.#upload ??= this.#create();
    const task = this.#upload
      .then(async (UploadId) => {
        const part = new UploadPartCommand({ ...this.#place, UploadId, PartNumber, Body });
        const { ETag } = await this.#client.send(part);
        this.#done.push({ PartNumber, ETag });
      })
      .catch((error: unknown) => {
        this.#fault ??= { error };
      })
      .finally(() => this.#underWay.delete(task));
    this.#underWay.add(task);
    if (this.#underWay.size >= PARALLEL) await Promise.race(this.#underWay);
    this.#check();
  }

  async #create(): Promise<string> {
    const command = new CreateMultipartUploadCommand({ ...this.#place, Metadata: this.#metadata() });
    const { UploadId } = await this.#client.send(command);
    if (UploadId === undefined) throw new Error(`S3 gave no id for the upload of ${this.#place.Key}`);
    return UploadId;
  }

  async #complete(UploadId: string): Promise<void> {
    const Parts = this.#done.sort((a, b) => a.PartNumber - b.PartNumber);
    try {
      await this.#client.send(
        new CompleteMultipartUploadCommand({ ...this.#place, UploadId, MultipartUpload: { Parts } }),
      );
    } catch (error) {
      // The answer to an earlier try was lost, and the client's next one found the upload gone: it may be whole.
      const { name, attempts } = serviceFault(error);
      if (name !== "NoSuchUpload" || attempts < 2 || !(await this.#stands())) throw error;
    }
  }

  async #stands(): Promise<boolean> {
    const { Metadata } = await this.#client.send(new HeadObjectCommand(this.#place));
    return Metadata?.[WRITE_MARK] === this.#mark;
  }

  /** The next `size` bytes. */
  #take(size: number): Uint8Array {
    const part = new Uint8Array(size);
    let at = 0;
    while (at < size) {
      const piece = this.#pieces.shift();
      if (piece === undefined) break;
      const used = piece.subarray(0, size - at);
      part.set(used, at);
      at += used.length;
      if (used.length < piece.length) this.#pieces.unshift(piece.subarray(used.length));
    }
    this.#bytes -= size;
    return part;
  }
}
