import type { ByteSource } from "../reading/source.ts";

export interface DropObject {
  readonly source: ByteSource;
  /** Changes whenever the object does. */
  readonly fingerprint: string;
}

export interface DropListing {
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/**
 * Where users put their logs. A source that was found may be gone or replaced by the time it is read: reading it then
 * throws a SourceError.
 */
export interface Drop {
  /** To read it: its beginning may come along. */
  find(key: string): Promise<DropObject | undefined>;
  /** Of what stands under the key, without reading it. */
  fingerprint(key: string): Promise<string | undefined>;
  /** Objects after `after` in the order of the UTF-8 bytes of their keys. */
  list(options: { readonly after?: string }): AsyncIterable<DropListing>;
}
