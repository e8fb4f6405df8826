/** Docker's framing of the two outputs of a process without a terminal: kind, three zeros, length, payload. */
const HEADER = 8;

export interface Frame {
  readonly kind: "stdout" | "stderr";
  readonly bytes: Uint8Array;
}

/** Payloads in the pieces they come in, so that a long frame is never held whole. */
export class FrameReader {
  readonly #header = Buffer.alloc(HEADER);
  #inHeader = 0;
  #left = 0;

  *read(chunk: Uint8Array): Generator<Frame> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left === 0) {
        const part = chunk.subarray(at, at + HEADER - this.#inHeader);
        this.#header.set(part, this.#inHeader);
        this.#inHeader += part.length;
        at += part.length;
        if (this.#inHeader < HEADER) return;
        this.#inHeader = 0;
        this.#left = this.#header.readUInt32BE(4);
        continue;
      }
      const bytes = chunk.subarray(at, at + this.#left);
      this.#left -= bytes.length;
      at += bytes.length;
      yield { kind: this.#header[0] === 2 ? "stderr" : "stdout", bytes };
    }
  }
}
