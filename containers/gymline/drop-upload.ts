import { homedir } from "node:os";
import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import { AwsAccessError, accountFault } from "../../shared/adapters/aws/account-fault.ts";
import { eachOf } from "../../shared/adapters/aws/batches.ts";
import { FileChangedError } from "../../shared/adapters/aws/file-hashes.ts";
import { type FileOutcome, PARTED_FROM, uploadFile } from "../../shared/adapters/aws/file-upload.ts";
import { operatorClients } from "../../shared/adapters/aws/operator-clients.ts";
import { fileSource } from "../../shared/adapters/local/file-source.ts";
import { UploadNotes } from "../../shared/adapters/local/upload-notes.ts";
import { type Fault, type Rejection, rejectionOf } from "../../shared/reading/rejection.ts";
import type { ByteSource } from "../../shared/reading/source.ts";
import { dropBucket } from "./drop-bucket.ts";
import type { DropFile, DropFiles } from "./drop-files.ts";
import type { Progress } from "./progress.ts";

export interface UploadOptions extends DropFiles {
  readonly deployment?: string;
  readonly bucket?: string;
  readonly concurrency: number;
  readonly dryRun: boolean;
  readonly progress: Progress;
}

export interface DroppedFile extends DropFile {
  readonly outcome: FileOutcome;
}

export interface UploadResult {
  readonly bucket: string;
  readonly done: readonly DroppedFile[];
  readonly rejections: readonly Rejection[];
}

/**
 * Uploads the files side by side. What is wrong with a file is a rejection.
 * @throws UsageError, DeploymentError, AwsAccessError
 */
export async function uploadDrop(options: UploadOptions): Promise<UploadResult> {
  const clients = operatorClients();
  try {
    const bucket = await dropBucket(options, clients);
    const run = new UploadRun(options, { bucket, client: await clients.s3() });
    const isSmall = ({ size }: DropFile): boolean => size < PARTED_FROM;
    const small = options.files.filter(isSmall);
    await eachOf(small, options.concurrency, (file) => run.upload(file, 1));
    // One after the other: each has parts on their way, which are held in memory.
    const large = options.files.filter((file) => !isSmall(file));
    await eachOf(large, 1, (file) => run.upload(file, options.concurrency));
    return { bucket, done: run.done, rejections: [...options.rejections, ...run.rejections] };
  } finally {
    options.progress.end();
    await clients.close();
  }
}

class UploadRun {
  readonly done: DroppedFile[] = [];
  readonly rejections: Rejection[] = [];
  readonly #options: UploadOptions;
  readonly #target: { readonly client: S3Client; readonly bucket: string };
  readonly #notes = new UploadNotes(notesFolder());
  #bytes = 0;

  constructor(options: UploadOptions, target: { readonly client: S3Client; readonly bucket: string }) {
    this.#options = options;
    this.#target = target;
  }

  async upload(file: DropFile, parallel: number): Promise<void> {
    try {
      const outcome = await uploadFile({
        ...this.#target,
        key: file.key,
        source: guarded(file),
        notes: this.#notes,
        parallel,
        dryRun: this.#options.dryRun,
        onBytes: (bytes) => this.#show(bytes),
      });
      this.done.push({ ...file, outcome });
      this.#show(0);
    } catch (error) {
      this.rejections.push(rejectionOf({ source: file.path }, faultOf(error, file)));
    }
  }

  #show(bytes: number): void {
    this.#bytes += bytes;
    const { progress, files } = this.#options;
    progress.update({ done: this.done.length, total: files.length, bytes: this.#bytes });
  }
}

class UnreadableFileError extends Error {
  override readonly name = "UnreadableFileError";
}

/** A file that says of its own errors that they are its own, and not of the network. */
function guarded({ path, size }: DropFile): ByteSource {
  const source = fileSource({ path, key: path, size });
  return {
    ...source,
    async *open(range) {
      try {
        yield* source.open(range);
      } catch (cause) {
        const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown fault";
        throw new UnreadableFileError(code, { cause });
      }
    },
  };
}

/** What is wrong with the file. @throws AwsAccessError where it is not the file */
function faultOf(error: unknown, { key }: DropFile): Fault {
  if (error instanceof FileChangedError) {
    const reason = "The file was changed while it was uploaded.";
    return { code: "changed-while-read", reason, remedy: "Drop it again once its writer has finished." };
  }
  if (error instanceof UnreadableFileError) {
    const remedy = "Check that it still exists and may be read, then drop it again.";
    return { code: "unreadable", reason: `It cannot be read (${error.message}).`, remedy };
  }
  const fault = accountFault(error);
  throw new AwsAccessError(`${key} cannot be uploaded; run again to go on where this stopped`, fault, error);
}

function notesFolder(): string {
  const cache = process.env["XDG_CACHE_HOME"] ?? "";
  return join(cache === "" ? join(homedir(), ".cache") : cache, "gymline", "uploads");
}
