import { Carry } from "./carry.ts";
import type { Nesting } from "./nesting.ts";
import { advance, newNesting, resetNesting } from "./nesting.ts";
import type { PiecePlace, PieceSink, Splitter } from "./piece.ts";
import { isSpace, opensValue, oversizeFault, pieceFault, trimmed, UNFINISHED } from "./piece.ts";
import type { Fault } from "./rejection.ts";

const NEWLINE = 0x0a;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const TRAILING: Fault = {
  code: "trailing-content",
  reason: "There is content after the end of the top-level array.",
  remedy: "Keep one array per file, or use JSON Lines.",
};

const UNCLOSED_ARRAY: Fault = {
  code: "unfinished-json",
  reason: "The file breaks off before the top-level array is closed.",
  remedy: "Drop the complete file; if a writer is still at work, wait for it to finish.",
};

/** The shape of the text: elements of one top-level array, or values one after another. */
export type ValueList = "array" | "sequence";

/**
 * `gap`: between values. `value`: inside an array or object. `scalar`: inside anything else, which cannot be a
 * record. `resync`: a value of a sequence broke; looking for a line that opens a new one.
 */
type State = "before" | "gap" | "value" | "scalar" | "resync" | "after";

/**
 * Finds values by structure alone, so that they may span lines and chunks. Commas between elements are not
 * checked. In a sequence, a value that cannot be complete (a string open at a line's end; a new object at column
 * one where none may stand) ends there, and the next one goes on.
 */
export class ValueSplitter implements Splitter {
  done = false;
  readonly #list: ValueList;
  readonly #sink: PieceSink;
  readonly #maxRecordBytes: number;
  readonly #carry: Carry;
  readonly #nesting: Nesting = newNesting();
  #state: State;
  #index = 0;
  #line = 1;
  #chunkStart: number;
  #valueLine = 1;
  #valueOffset = 0;
  #atLineStart = true;
  /** Last byte of an earlier chunk that is not white space. */
  #significant = 0;
  #scalarInString = false;
  #scalarEscaped = false;

  constructor(options: {
    readonly list: ValueList;
    readonly maxRecordBytes: number;
    readonly startOffset: number;
    readonly sink: PieceSink;
  }) {
    this.#list = options.list;
    this.#state = options.list === "array" ? "before" : "gap";
    this.#sink = options.sink;
    this.#maxRecordBytes = options.maxRecordBytes;
    this.#carry = new Carry(options.maxRecordBytes);
    this.#chunkStart = options.startOffset;
  }

  get midValue(): boolean {
    return this.#state === "value" || this.#state === "scalar";
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    let valueFrom = 0;
    while (at < chunk.length && !this.done) {
      if (this.#state === "value") {
        if (this.#breaksHere(chunk, at)) {
          this.#carry.add(chunk.subarray(valueFrom, at));
          this.#fail(UNFINISHED);
          this.#state = "gap";
          continue;
        }
        at = advance(this.#nesting, chunk, at);
        if (this.#nesting.stop === "closed") {
          this.#finish(chunk.subarray(valueFrom, at));
          this.#atLineStart = false;
        } else if (this.#nesting.stop === "newline") {
          this.#newline();
          if (this.#nesting.inString && this.#list === "sequence") {
            this.#fail(UNFINISHED);
            this.#state = "resync";
          }
        } else {
          this.#atLineStart = false;
        }
      } else if (this.#state === "scalar") {
        at = this.#scanScalar(chunk, at);
        if (this.#state !== "scalar") this.#finish(chunk.subarray(valueFrom, at));
      } else {
        const started = this.#step(chunk, at);
        if (started) valueFrom = at;
        else at += 1;
      }
    }
    if (this.#state === "value" || this.#state === "scalar") {
      this.#carry.add(chunk.subarray(valueFrom));
      this.#significant = lastSignificant(chunk, chunk.length) ?? this.#significant;
    }
    this.#chunkStart += chunk.length;
  }

  end(): void {
    if (this.#state === "value") this.#fail(UNFINISHED);
    else if (this.#state === "scalar") this.#finish(new Uint8Array(0));
    else if (this.#list === "array" && (this.#state === "gap" || this.#state === "before")) {
      this.#valueLine = this.#line;
      this.#valueOffset = this.#chunkStart;
      this.#sink({ kind: "fault", place: this.#here(), fault: UNCLOSED_ARRAY });
    }
  }

  /** One byte outside values. Returns true when a value begins at it (the byte is then not consumed). */
  #step(chunk: Uint8Array, at: number): boolean {
    const byte = chunk[at];
    if (byte === NEWLINE) {
      this.#newline();
      return false;
    }
    const atLineStart = this.#atLineStart;
    this.#atLineStart = false;
    if (isSpace(byte)) return false;
    if (this.#state === "resync") {
      if (!atLineStart || !opensValue(byte)) return false;
    } else if (this.#state === "before") {
      this.#state = "gap";
      if (byte === OPEN_BRACKET) return false;
    } else if (this.#state === "after") {
      this.#begin(at);
      this.#sink({ kind: "fault", place: this.#here(), fault: TRAILING });
      this.done = true;
      return false;
    } else if (this.#list === "array") {
      if (byte === COMMA) return false;
      if (byte === CLOSE_BRACKET) {
        this.#state = "after";
        return false;
      }
    }
    this.#begin(at);
    this.#state = opensValue(byte) ? "value" : "scalar";
    return true;
  }

  #begin(at: number): void {
    this.#valueLine = this.#line;
    this.#valueOffset = this.#chunkStart + at;
    resetNesting(this.#nesting);
    this.#scalarInString = false;
    this.#scalarEscaped = false;
  }

  #newline(): void {
    this.#line += 1;
    this.#atLineStart = true;
  }

  /** In a sequence: an opening brace at column one that nothing before it allows for. */
  #breaksHere(chunk: Uint8Array, at: number): boolean {
    if (!this.#atLineStart) return false;
    this.#atLineStart = false;
    if (this.#list === "array" || this.#nesting.depth === 0 || !opensValue(chunk[at])) return false;
    const before = lastSignificant(chunk, at) ?? this.#significant;
    return before !== COMMA && before !== COLON && !opensValue(before);
  }

  /** A bare token or string: in an array it ends at a comma or bracket, in a sequence with its line. */
  #scanScalar(chunk: Uint8Array, from: number): number {
    let at = from;
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (byte === NEWLINE) {
        if (this.#list === "sequence") break;
        this.#newline();
      } else if (this.#scalarEscaped) {
        this.#scalarEscaped = false;
      } else if (this.#scalarInString) {
        if (byte === BACKSLASH) this.#scalarEscaped = true;
        else if (byte === QUOTE) this.#scalarInString = false;
      } else if (byte === QUOTE) {
        this.#scalarInString = true;
      } else if (this.#list === "array" && (byte === COMMA || byte === CLOSE_BRACKET)) {
        break;
      }
    }
    if (at < chunk.length) this.#state = "gap";
    return at;
  }

  #here(): PiecePlace {
    return { line: this.#valueLine, byteOffset: this.#valueOffset, index: this.#index };
  }

  #place(): PiecePlace {
    return this.#list === "array" ? { ...this.#here(), jsonPath: `$[${this.#index}]` } : this.#here();
  }

  #finish(tail: Uint8Array): void {
    let bytes: Uint8Array | undefined;
    if (this.#carry.isEmpty) {
      bytes = tail.length > this.#maxRecordBytes ? undefined : new Uint8Array(trimmed(tail));
    } else {
      this.#carry.add(tail);
      bytes = this.#carry.take();
    }
    this.#state = "gap";
    const fault = bytes === undefined ? oversizeFault(this.#maxRecordBytes) : pieceFault(bytes);
    const place = this.#place();
    this.#index += 1;
    if (bytes !== undefined && fault === undefined) this.#sink({ kind: "value", place, bytes });
    else if (fault !== undefined) this.#sink({ kind: "fault", place, fault });
  }

  #fail(fault: Fault): void {
    const overflowed = this.#carry.overflowed;
    this.#carry.take();
    const place = this.#place();
    this.#index += 1;
    this.#sink({ kind: "fault", place, fault: overflowed ? oversizeFault(this.#maxRecordBytes) : fault });
  }
}

function lastSignificant(chunk: Uint8Array, before: number): number | undefined {
  let at = before - 1;
  while (at >= 0 && isSpace(chunk[at])) at -= 1;
  return at < 0 ? undefined : chunk[at];
}
