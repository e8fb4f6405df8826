/** Keys are `/`-separated relative paths; `keySegments` says which. Every method throws InvalidKeyError for others. */
export interface ObjectStore {
  /** @throws ObjectNotFoundError */
  read(key: string): Promise<Uint8Array>;
  /** The same bytes piece by piece, of one object even if it is replaced meanwhile. @throws ObjectNotFoundError */
  stream(key: string): AsyncIterable<Uint8Array>;
  /** Replaces the object as a whole: a reader sees the old bytes or the new, never a mixture. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Writes the object unless one stands there; of two writers one wins and the other is told `exists`. */
  putIfAbsent(key: string, bytes: Uint8Array): Promise<"created" | "exists">;
  /** Writes an object of unknown size piece by piece; it appears under its key only when `finish` resolves. */
  writer(key: string): Promise<ObjectWriter>;
  exists(key: string): Promise<boolean>;
  /** Objects whose key starts with `prefix`, sorted by the UTF-8 bytes of their keys. */
  list(prefix: string): AsyncIterable<{ readonly key: string; readonly size: number }>;
  /** Removing what is not there is no error. A store that keeps versions keeps those that were there. */
  remove(key: string): Promise<void>;
  /** Removes the object for good, with all older versions that the store may keep. */
  erase(key: string): Promise<void>;
}

export interface ObjectWriter {
  /** Once it resolves, the bytes are not read again. */
  write(bytes: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  /** Leaves nothing behind. */
  abort(): Promise<void>;
}

export class ObjectNotFoundError extends Error {
  override readonly name = "ObjectNotFoundError";
  readonly key: string;
  constructor(key: string, options?: ErrorOptions) {
    super(`the store holds no object "${key}"`, options);
    this.key = key;
  }
}
