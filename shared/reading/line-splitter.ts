import { Carry } from "./carry.ts";
import type { PieceSink, Splitter } from "./piece.ts";
import { isSpace, oversizeFault, pieceFault, trimmed } from "./piece.ts";

const NEWLINE = 0x0a;

/** One value per line (JSON Lines). Blank lines are skipped; a line over the limit is one fault. */
export class LineSplitter implements Splitter {
  readonly done = false;
  readonly #sink: PieceSink;
  readonly #maxRecordBytes: number;
  readonly #carry: Carry;
  #line = 1;
  #index = 0;
  /** Offset of the line being read. */
  #lineStart: number;
  #chunkStart: number;

  constructor(options: {
    readonly maxRecordBytes: number;
    readonly startOffset: number;
    readonly sink: PieceSink;
  }) {
    this.#sink = options.sink;
    this.#maxRecordBytes = options.maxRecordBytes;
    this.#carry = new Carry(options.maxRecordBytes);
    this.#lineStart = options.startOffset;
    this.#chunkStart = options.startOffset;
  }

  /** Bytes of the line under way that are held in memory. */
  get held(): number {
    return this.#carry.held;
  }

  get midValue(): boolean {
    return !this.#carry.isEmpty;
  }

  push(chunk: Uint8Array): void {
    let from = 0;
    for (;;) {
      const newline = chunk.indexOf(NEWLINE, from);
      if (newline === -1) break;
      this.#finish(chunk.subarray(from, newline));
      from = newline + 1;
      this.#line += 1;
      this.#lineStart = this.#chunkStart + from;
    }
    // Leading space is not kept, or blank filler would count towards the record.
    const rest = chunk.subarray(from);
    this.#carry.add(this.#carry.isEmpty ? trimStart(rest) : rest);
    this.#chunkStart += chunk.length;
  }

  end(): void {
    this.#finish(new Uint8Array(0));
  }

  #finish(tail: Uint8Array): void {
    let bytes: Uint8Array | undefined;
    if (this.#carry.isEmpty) {
      const line = trimStart(tail);
      if (line.length === 0) return;
      bytes = line.length > this.#maxRecordBytes ? undefined : new Uint8Array(trimmed(line));
    } else {
      this.#carry.add(tail);
      const whole = this.#carry.take();
      bytes = whole === undefined ? undefined : trimmed(whole);
    }
    const place = { line: this.#line, byteOffset: this.#lineStart, index: this.#index };
    this.#index += 1;
    const fault = bytes === undefined ? oversizeFault(this.#maxRecordBytes) : pieceFault(bytes);
    if (bytes !== undefined && fault === undefined) this.#sink({ kind: "value", place, bytes });
    else if (fault !== undefined) this.#sink({ kind: "fault", place, fault });
  }
}

function trimStart(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length && isSpace(bytes[start])) start += 1;
  return bytes.subarray(start);
}
