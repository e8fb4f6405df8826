import { Buffer } from "node:buffer";
import { DigestColumn, isDigest } from "./digest-column.ts";

const FIRST_SLOTS = 1 << 10;

/**
 * A set of ids, which are SHA-256 in hex: about 40 bytes each, a third of what a `Set` takes. Open addressing; digests
 * are their own hash. Any other text is kept as it is.
 */
export class DigestSet {
  readonly #digests = new DigestColumn();
  readonly #others = new Set<string>();
  readonly #digest = Buffer.alloc(32);
  /** Places in the column from 1 on; 0: free. */
  #slots = new Uint32Array(FIRST_SLOTS);

  get size(): number {
    return this.#digests.length + this.#others.size;
  }

  has(text: string): boolean {
    if (!isDigest(text)) return this.#others.has(text);
    this.#digest.write(text, "hex");
    return this.#slots[this.#slotOf(this.#digest)] !== 0;
  }

  /** Whether it is new. */
  add(text: string): boolean {
    if (!isDigest(text)) {
      const isNew = !this.#others.has(text);
      this.#others.add(text);
      return isNew;
    }
    this.#digest.write(text, "hex");
    const slot = this.#slotOf(this.#digest);
    if (this.#slots[slot] !== 0) return false;
    this.#digests.push(text);
    this.#slots[slot] = this.#digests.length;
    if (this.#digests.length * 4 > this.#slots.length * 3) this.#grow();
    return true;
  }

  /** Where the digest is, or where it would go. */
  #slotOf(digest: Buffer): number {
    const mask = this.#slots.length - 1;
    for (let slot = digest.readUInt32LE() & mask; ; slot = (slot + 1) & mask) {
      const place = this.#slots[slot] ?? 0;
      if (place === 0 || this.#digests.holds(place - 1, digest)) return slot;
    }
  }

  #grow(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let index = 0; index < this.#digests.length; index += 1) {
      let slot = this.#digests.word(index) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = index + 1;
    }
  }
}
