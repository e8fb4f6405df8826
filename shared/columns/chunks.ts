/** Elements of a chunk: growing copies nothing, and no more than one chunk is half empty. */
const CHUNK_ELEMENTS = 1 << 14;

interface Elements {
  [index: number]: number;
}

/** A list of numbers that grows chunk by chunk, each a typed array. */
export class Chunks<A extends Elements> {
  readonly #make: (length: number) => A;
  readonly #chunks: A[] = [];
  #length = 0;

  /** `make`: a typed array of so many elements. */
  constructor(make: (length: number) => A) {
    this.#make = make;
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    const at = this.#length % CHUNK_ELEMENTS;
    if (at === 0) this.#chunks.push(this.#make(CHUNK_ELEMENTS));
    const chunk = this.#chunks.at(-1);
    if (chunk !== undefined) chunk[at] = value;
    this.#length += 1;
  }

  /** NaN where there is none. */
  at(index: number): number {
    return this.#chunks[Math.floor(index / CHUNK_ELEMENTS)]?.[index % CHUNK_ELEMENTS] ?? Number.NaN;
  }
}
