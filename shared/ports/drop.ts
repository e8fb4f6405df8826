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
 * throws DropChangedError.
 */
export interface Drop {
  find(key: string): Promise<DropObject | undefined>;
  /** Objects after `after` in the order of the UTF-8 bytes of their keys. */
  list(options: { readonly after?: string }): AsyncIterable<DropListing>;
}

/** The object was overwritten or deleted while it was read; what stands there now must be read from its start. */
export class DropChangedError extends Error {
  override readonly name = "DropChangedError";
  readonly key: string;
  constructor(key: string, options?: ErrorOptions) {
    super(`${JSON.stringify(key)} was overwritten or deleted while it was read`, options);
    this.key = key;
  }
}
