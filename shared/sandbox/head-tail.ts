/**
 * The beginning and the end of a stream within a limit: the first half of the limit and the last, and a count of what
 * fell out between. Holds no more than the limit, whatever comes and in whatever pieces.
 */
export class HeadTail {
  readonly #head: Uint8Array;
  readonly #tail: Uint8Array;
  #headSize = 0;
  /** Bytes that went to the tail, those overwritten since included. */
  #tailTotal = 0;

  /** @param limit bytes */
  constructor(limit: number) {
    this.#head = new Uint8Array(Math.ceil(limit / 2));
    this.#tail = new Uint8Array(Math.floor(limit / 2));
  }

  push(chunk: Uint8Array): void {
    const first = chunk.subarray(0, this.#head.length - this.#headSize);
    this.#head.set(first, this.#headSize);
    this.#headSize += first.length;
    const rest = chunk.subarray(first.length);
    const size = this.#tail.length;
    // Of a piece longer than the tail only its end can stay.
    const kept = rest.length > size ? rest.subarray(rest.length - size) : rest;
    if (size > 0) {
      const at = (this.#tailTotal + rest.length - kept.length) % size;
      const upToEnd = kept.subarray(0, size - at);
      this.#tail.set(upToEnd, at);
      this.#tail.set(kept.subarray(upToEnd.length), 0);
    }
    this.#tailTotal += rest.length;
  }

  /** Bytes left out of the middle. */
  get dropped(): number {
    return Math.max(0, this.#tailTotal - this.#tail.length);
  }

  bytes(): Uint8Array {
    const size = this.#tail.length;
    const stored = Math.min(this.#tailTotal, size);
    const result = new Uint8Array(this.#headSize + stored);
    result.set(this.#head.subarray(0, this.#headSize));
    if (this.#tailTotal <= size) result.set(this.#tail.subarray(0, stored), this.#headSize);
    else {
      const at = this.#tailTotal % size;
      result.set(this.#tail.subarray(at), this.#headSize);
      result.set(this.#tail.subarray(0, at), this.#headSize + size - at);
    }
    return result;
  }
}
