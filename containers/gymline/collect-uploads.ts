import { statSync } from "node:fs";
import { join } from "node:path";
import type { EpisodeEntry } from "../../shared/collect/episode-entry.ts";
import type { Rejection } from "../../shared/reading/rejection.ts";
import type { DropFile } from "./drop-files.ts";

export interface Uploaded {
  readonly bucket: string;
  readonly files: number;
  readonly rejections: readonly Rejection[];
}

interface UploadsTo {
  readonly out: string;
  readonly deployment?: string;
  readonly bucket?: string;
}

/** Brings what is dropped into a bucket as well, while the run goes on; what is there already is left alone. */
export class CollectUploads {
  readonly #to: UploadsTo;
  #waiting: DropFile[] = [];
  #sending: Promise<void> | null = null;
  #bucket = "";
  #files = 0;
  readonly #rejections: Rejection[] = [];

  constructor(to: UploadsTo) {
    this.#to = to;
  }

  add({ kind, file }: EpisodeEntry): void {
    if (!this.#wanted || kind !== "done" || file === null) return;
    const path = join(this.#to.out, file);
    this.#waiting.push({ path, key: file, size: statSync(path).size });
    // A failure is told by `finish`.
    this.#sending ??= this.#send();
    this.#sending.catch(() => undefined);
  }

  /** Waits for all; undefined where nothing was to be uploaded. @throws AwsAccessError, DeploymentError, UsageError */
  async finish(): Promise<Uploaded | undefined> {
    if (!this.#wanted) return undefined;
    await this.#sending;
    return { bucket: this.#bucket, files: this.#files, rejections: this.#rejections };
  }

  get #wanted(): boolean {
    return this.#to.deployment !== undefined || this.#to.bucket !== undefined;
  }

  async #send(): Promise<void> {
    const { uploadDrop } = await import("./drop-upload.ts");
    const { deployment, bucket } = this.#to;
    const quiet = { update: () => undefined, end: () => undefined };
    while (this.#waiting.length > 0) {
      const files = this.#waiting;
      this.#waiting = [];
      const result = await uploadDrop({
        ...{ files, rejections: [], concurrency: 4, dryRun: false, progress: quiet },
        ...(deployment === undefined ? {} : { deployment }),
        ...(bucket === undefined ? {} : { bucket }),
      });
      this.#bucket = result.bucket;
      this.#files += result.done.length;
      this.#rejections.push(...result.rejections);
    }
    this.#sending = null;
  }
}
