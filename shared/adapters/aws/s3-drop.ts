import { ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import type { Drop, DropListing, DropObject } from "../../ports/drop.ts";
import { SourceGoneError } from "../../reading/source-error.ts";
import { s3Fingerprint, s3Source } from "./s3-source.ts";

/** The drop bucket. */
export class S3Drop implements Drop {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(options: { readonly client: S3Client; readonly bucket: string }) {
    this.#client = options.client;
    this.#bucket = options.bucket;
  }

  async find(key: string): Promise<DropObject | undefined> {
    try {
      const source = await s3Source({ client: this.#client, bucket: this.#bucket, key });
      return { source, fingerprint: s3Fingerprint(source.state) };
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
