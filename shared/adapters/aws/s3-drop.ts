import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import type { Drop, DropListing, DropObject } from "../../ports/drop.ts";
import { SourceGoneError } from "../../reading/source-error.ts";
import { type S3Source, s3Fingerprint, s3Source } from "./s3-source.ts";

/** Of an object that is to be read, what comes with its head: most logs are no larger. */
const AHEAD = 1 << 20;

/** The drop bucket. */
export class S3Drop implements Drop {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(options: { readonly client: S3Client; readonly bucket: string }) {
    this.#client = options.client;
    this.#bucket = options.bucket;
  }

  async find(key: string): Promise<DropObject | undefined> {
    const source = await this.#source(key, AHEAD);
    return source && { source, fingerprint: s3Fingerprint(source.state) };
  }

  async fingerprint(key: string): Promise<string | undefined> {
    const source = await this.#source(key, 0);
    return source && s3Fingerprint(source.state);
  }

  async #source(key: string, ahead: number): Promise<S3Source | undefined> {
    try {
      return await s3Source({ client: this.#client, bucket: this.#bucket, key, ahead });
    } catch (error) {
      if (error instanceof SourceGoneError) return undefined;
      throw error;
    }
  }

  async *list(options: { readonly after?: string }): AsyncIterable<DropListing> {
    let token: string | undefined;
    do {
      const page = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#bucket,
          ...(token === undefined ? { StartAfter: options.after } : { ContinuationToken: token }),
        }),
      );
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        if (Key === undefined) continue;
        yield { key: Key, size: Size ?? 0, modifiedAt: LastModified?.getTime() ?? 0 };
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }
}
