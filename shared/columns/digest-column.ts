import { Buffer } from "node:buffer";

const DIGEST_BYTES = 32;
/** Digests of a chunk. */
const CHUNK = 1 << 12;

/** Ids, which are SHA-256 in hex, at 32 bytes each. Any other text is kept as it is. */
export class DigestColumn {
  readonly #chunks: Buffer[] = [];
  readonly #others = new Map<number, string>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(text: string): void {
    const at = this.#length % CHUNK;
    if (at === 0) this.#chunks.push(Buffer.alloc(CHUNK * DIGEST_BYTES));
    if (isDigest(text)) this.#chunks.at(-1)?.write(text, at * DIGEST_BYTES, "hex");
    else this.#others.set(this.#length, text);
    this.#length += 1;
  }

  /** Empty where there is none. */
  at(index: number): string {
    const other = this.#others.size === 0 ? undefined : this.#others.get(index);
    if (other !== undefined) return other;
    if (index < 0 || index >= this.#length) return "";
    const start = (index % CHUNK) * DIGEST_BYTES;
    return this.#chunks[Math.floor(index / CHUNK)]?.toString("hex", start, start + DIGEST_BYTES) ?? "";
  }

  /** Whether the digest at `index` is this one. */
  holds(index: number, digest: Uint8Array): boolean {
    const start = (index % CHUNK) * DIGEST_BYTES;
    const chunk = this.#chunks[Math.floor(index / CHUNK)];
    return chunk?.compare(digest, 0, DIGEST_BYTES, start, start + DIGEST_BYTES) === 0;
  }

  /** The first four bytes of the digest at `index`. */
  word(index: number): number {
    return (
      this.#chunks[Math.floor(index / CHUNK)]?.readUInt32LE((index % CHUNK) * DIGEST_BYTES) ?? Number.NaN
    );
  }
}

/** Upper case would come back as lower case, so it is no digest. */
export function isDigest(text: string): boolean {
  return text.length === 2 * DIGEST_BYTES && /^[0-9a-f]+$/.test(text);
}
