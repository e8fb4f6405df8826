import { hashText } from "../../curation/hash.ts";

const LEAST = 1024;
/** At most so full; a fuller table has long runs. */
const FULL = 0.6;

/**
 * Which split each of many keys stood in first. Holds 53 bits of a hash of each key instead of the key, and 13 bytes in
 * all, times two to four while it grows: a million keys take 25 to 50 MB. Two keys fall together with a probability of
 * n² / 2^54: 0.006 % for a million.
 */
export class SplitTable {
  #keys = new Float64Array(LEAST);
  #splits = new Uint8Array(LEAST);
  #rows = new Uint32Array(LEAST);
  #count = 0;

  /** Notes a key; gives where it stood first if that is another split. Splits are 1 to 255. */
  note(
    key: string | number,
    at: { readonly split: number; readonly row: number },
  ): { readonly split: number; readonly row: number } | undefined {
    if (this.#count >= this.#keys.length * FULL) this.#grow();
    const hash = typeof key === "number" ? key + 1 : hashOf(key);
    const slot = this.#slotOf(hash);
    if (this.#keys[slot] === 0) {
      this.#put(slot, { hash, ...at });
      this.#count += 1;
      return undefined;
    }
    const split = this.#splits[slot] ?? 0;
    return split === at.split ? undefined : { split, row: this.#rows[slot] ?? 0 };
  }

  #slotOf(hash: number): number {
    const mask = this.#keys.length - 1;
    let slot = (hash % 0x7fffffff) & mask;
    while (this.#keys[slot] !== 0 && this.#keys[slot] !== hash) slot = (slot + 1) & mask;
    return slot;
  }

  #put(
    slot: number,
    { hash, split, row }: { readonly hash: number; readonly split: number; readonly row: number },
  ): void {
    this.#keys[slot] = hash;
    this.#splits[slot] = split;
    this.#rows[slot] = row;
  }

  #grow(): void {
    const [keys, splits, rows] = [this.#keys, this.#splits, this.#rows];
    this.#keys = new Float64Array(keys.length * 2);
    this.#splits = new Uint8Array(keys.length * 2);
    this.#rows = new Uint32Array(keys.length * 2);
    for (const [index, hash] of keys.entries()) {
      if (hash === 0) continue;
      this.#put(this.#slotOf(hash), { hash, split: splits[index] ?? 0, row: rows[index] ?? 0 });
    }
  }
}

/** 53 bits, never 0. */
function hashOf(text: string): number {
  return hashText(text, 3) * 2 ** 21 + (hashText(text, 4) >>> 11) + 1;
}
