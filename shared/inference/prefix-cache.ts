import type { KeyValueShape, KeyValues } from "../ports/causal-model.ts";
import { byteSize, noKeyValues, rowOf } from "./key-values.ts";

interface Entry {
  readonly ids: readonly number[];
  readonly kept: KeyValues;
  readonly bytes: number;
}

/**
 * Keys and values of sequences that were read before, by their tokens. A sequence that begins like one of them need not
 * be read again from the start: the next turn of an episode, or another attempt at the same task. Those that were not
 * used for longest go first once all together are larger than `bytes`.
 */
export class PrefixCache {
  readonly #shape: KeyValueShape;
  readonly #limit: number;
  readonly #entries: Set<Entry> = new Set();
  #bytes = 0;

  constructor(shape: KeyValueShape, bytes: number) {
    this.#shape = shape;
    this.#limit = bytes;
  }

  /** The longest beginning of `ids` that is known, at most `most` tokens of it. One row, which is the caller's own. */
  longest(ids: readonly number[], most: number): KeyValues {
    let best: Entry | undefined;
    let length = 0;
    for (const entry of this.#entries) {
      const common = Math.min(most, commonLength(entry.ids, ids));
      if (common > length) [best, length] = [entry, common];
    }
    if (best === undefined) return noKeyValues(this.#shape, 1);
    this.#entries.delete(best);
    this.#entries.add(best);
    return rowOf(best.kept, { shape: this.#shape, row: 0, from: 0, to: length });
  }

  /** `kept`: one row, a column for each of `ids`; not to be changed afterwards. */
  put(ids: readonly number[], kept: KeyValues): void {
    const bytes = byteSize(kept);
    if (bytes > this.#limit || ids.length === 0) return;
    for (const entry of this.#entries) {
      // What the new one begins with it holds as well.
      if (entry.ids.length <= ids.length && commonLength(entry.ids, ids) === entry.ids.length) {
        this.#drop(entry);
      }
    }
    this.#entries.add({ ids, kept, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries) {
      if (this.#bytes <= this.#limit) break;
      this.#drop(oldest);
    }
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry);
    this.#bytes -= entry.bytes;
  }
}

function commonLength(one: readonly number[], other: readonly number[]): number {
  const most = Math.min(one.length, other.length);
  let length = 0;
  while (length < most && one[length] === other[length]) length += 1;
  return length;
}
