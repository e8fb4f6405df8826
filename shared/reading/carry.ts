/**
 * The bytes of a value that began in an earlier chunk. Holds at most `limit` bytes: a value that outgrows it is
 * dropped while the scan goes on, so that memory does not follow the input.
 */
export class Carry {
  readonly #limit: number;
  #parts: Uint8Array[] = [];
  #length = 0;
  #overflowed = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** Bytes held now. */
  get held(): number {
    return this.#parts.reduce((sum, part) => sum + part.length, 0);
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  add(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#length += part.length;
    if (this.#overflowed || this.#length > this.#limit) {
      this.#overflowed = true;
      this.#parts = [];
      return;
    }
    this.#parts.push(part);
  }

  /** Gives the bytes as an own copy (so that a record never pins a whole chunk) and starts afresh. */
  take(): Uint8Array | undefined {
    const whole = this.#overflowed ? undefined : joined(this.#parts, this.#length);
    this.#parts = [];
    this.#length = 0;
    this.#overflowed = false;
    return whole;
  }
}

export function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
