import { joined } from "./carry.ts";
import { FirstLine } from "./first-line.ts";
import type { ReadingLimits } from "./limits.ts";
import { LineSplitter } from "./line-splitter.ts";
import { parseRecord, RecordParseError } from "./parse-json.ts";
import type { Piece, Splitter } from "./piece.ts";
import { oversizeFault, textFault, trimmed } from "./piece.ts";
import type { Fault, Place } from "./rejection.ts";
import type { Framing, RecordFramer } from "./source.ts";
import { ValueSplitter } from "./value-splitter.ts";

const BOM = [0xef, 0xbb, 0xbf] as const;

/** Values looked at to tell the parts of one trajectory from trajectories of their own. */
const JUDGED_VALUES = 3;

/** Faulty pieces at the head of a file, with no good one among them, after which it is taken for another format. */
const HOPELESS_PIECES = 64;

const EMPTY_FILE: Fault = {
  code: "empty-file",
  reason: "The file is empty or holds only white space.",
  remedy: "Leave the file out, or write the log again.",
};

const EMPTY_ARRAY: Fault = {
  code: "no-records",
  reason: "The top-level array is empty.",
  remedy: "Leave the file out, or write the log again.",
};

/** What a file was found to hold, in order; the caller adds the source's name. */
export type FileItem =
  | {
      readonly kind: "record";
      readonly bytes: Uint8Array;
      readonly framing: Framing;
      readonly index: number;
      readonly line: number;
      readonly jsonPath?: string;
    }
  | { readonly kind: "fault"; readonly place: Omit<Place, "source" | "entry">; readonly fault: Fault };

/**
 * Frames one text file given as chunks: decides its shape and whether its values are records or parts of one, and
 * passes on items as soon as they are known. Holds at most about `maxRecordBytes` of the file, and up to three
 * records while it judges.
 */
export class FileFraming {
  done = false;
  readonly #limits: ReadingLimits;
  readonly #framer: RecordFramer;
  readonly #emit: (item: FileItem) => void;
  readonly #firstLine: FirstLine;
  #phase: "shape" | "judging" | "rows" | "whole" = "shape";
  #splitter: Splitter | undefined;
  #startOffset = 0;
  #started = false;
  /** The file so far, kept until it is known not to be one record; dropped when that is too much. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #tooLargeToHold = false;
  #waiting: Piece[] = [];
  #values = 0;
  #pieces = 0;
  #judged = 0;
  #parts = 0;
  #faults = 0;
  #unlisted = 0;
  #isArray = false;
  readonly #maxListed: number;

  constructor(options: {
    readonly limits: ReadingLimits;
    readonly framer: RecordFramer;
    readonly emit: (item: FileItem) => void;
  }) {
    this.#limits = options.limits;
    this.#framer = options.framer;
    this.#emit = options.emit;
    this.#firstLine = new FirstLine(options.limits.maxRecordBytes);
    this.#maxListed = options.limits.maxRejectionsPerFile;
  }

  /** The first chunk must hold at least the first three bytes of the file, if it has as many. */
  push(given: Uint8Array): void {
    const chunk = this.#started ? given : this.#withoutBom(given);
    this.#started = true;
    if (this.#phase === "shape") {
      this.#hold(chunk);
      const shape = this.#firstLine.push(chunk);
      if (shape !== undefined) this.#startSplitting(shape);
    } else if (this.#phase === "whole") {
      this.#hold(chunk);
      this.#stopIfTooLarge();
    } else {
      if (this.#phase === "judging") this.#hold(chunk);
      this.#split(chunk);
    }
  }

  end(): void {
    if (this.done) return;
    if (this.#phase === "shape") this.#startSplitting(this.#firstLine.end());
    if (this.#phase === "judging" || this.#phase === "rows") this.#splitter?.end();
    if (this.#phase === "judging") this.#decide(this.#parts > 0);
    if (this.#pieces === 0)
      this.#emit({ kind: "fault", place: {}, fault: this.#isArray ? EMPTY_ARRAY : EMPTY_FILE });
    if (this.#phase === "whole") this.#emitWhole();
    this.#endOfItems();
  }

  /**
   * The bytes broke off. Complete values that are records of their own stand; a lone value does not, since the
   * damage may be in it, nor does a trajectory that lacks its end.
   */
  abort(): void {
    if (this.done) return;
    if (this.#phase === "shape") this.#startSplitting(this.#firstLine.end());
    const oneOfMany = this.#isArray || this.#splitter?.midValue === true;
    if (this.#phase === "judging" && this.#values > 0 && oneOfMany) this.#judge();
    if (this.#phase === "judging" && (this.#values > 1 || oneOfMany)) this.#decide(this.#parts > 0);
    this.#endOfItems();
  }

  #withoutBom(chunk: Uint8Array): Uint8Array {
    if (!BOM.every((byte, at) => chunk[at] === byte)) return chunk;
    this.#startOffset = BOM.length;
    return chunk.subarray(BOM.length);
  }

  #hold(chunk: Uint8Array): void {
    this.#heldBytes += chunk.length;
    if (this.#phase === "shape" || !this.#tooLargeToHold) this.#held.push(chunk);
    if (this.#phase !== "shape" && this.#heldBytes > this.#limits.maxRecordBytes) {
      this.#tooLargeToHold = true;
      this.#held = [];
    }
  }

  #startSplitting(shape: "lines" | "array" | "sequence"): void {
    const { maxRecordBytes } = this.#limits;
    const options = {
      maxRecordBytes,
      startOffset: this.#startOffset,
      sink: (piece: Piece) => this.#take(piece),
    };
    this.#isArray = shape === "array";
    this.#splitter =
      shape === "lines" ? new LineSplitter(options) : new ValueSplitter({ ...options, list: shape });
    const replay = this.#held;
    this.#phase = "judging";
    if (this.#heldBytes > maxRecordBytes) {
      this.#tooLargeToHold = true;
      this.#held = [];
    }
    for (const chunk of replay) this.#split(chunk);
  }

  #split(chunk: Uint8Array): void {
    if (this.done || this.#splitter === undefined || this.#phase === "whole") return;
    this.#splitter.push(chunk);
    if (this.#splitter.done && this.#phase === "rows") this.#endOfItems();
  }

  #take(piece: Piece): void {
    if (this.done || this.#phase === "whole") return;
    this.#pieces += 1;
    if (this.#phase === "rows") {
      this.#pass(piece);
      return;
    }
    this.#waiting.push(piece);
    if (piece.kind === "value") this.#values += 1;
    const hopeless = this.#waiting.length >= HOPELESS_PIECES;
    if (this.#values === 0) {
      if (hopeless) this.#giveUp();
      return;
    }
    // A value alone in its file is a record whatever it looks like, so judging waits for a second one.
    if (this.#values > 1 || this.#isArray || hopeless) this.#judge();
    if (hopeless && this.#phase === "judging") this.#decide(this.#parts > 0);
  }

  /** Judges the values not yet judged; decides at the first that is no part, or when enough are parts. */
  #judge(): void {
    const values = this.#waiting.filter((piece) => piece.kind === "value");
    for (const piece of values.slice(this.#judged)) {
      this.#judged += 1;
      const part = this.#isPart(piece.bytes);
      if (part === false) {
        this.#decide(false);
        return;
      }
      if (part) this.#parts += 1;
      if (this.#parts >= JUDGED_VALUES) {
        this.#decide(true);
        return;
      }
    }
  }

  /** Undefined for a value that does not parse: it says nothing about its neighbours. */
  #isPart(bytes: Uint8Array): boolean | undefined {
    let value: unknown;
    try {
      value = parseRecord(bytes, this.#limits).value;
    } catch (error) {
      if (error instanceof RecordParseError) return undefined;
      throw error;
    }
    return this.#framer.isPart(value);
  }

  #decide(parts: boolean): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (parts) {
      this.#phase = "whole";
      this.#stopIfTooLarge();
      return;
    }
    const alone = !this.#isArray && this.#values === 1 && this.#judged === 0;
    this.#phase = "rows";
    this.#held = [];
    for (const piece of waiting) this.#pass(piece, alone ? "document" : "row");
  }

  #pass(piece: Piece, framing: Framing = "row"): void {
    const { line, byteOffset, index, jsonPath } = piece.place;
    const path = jsonPath === undefined ? {} : { jsonPath };
    if (piece.kind === "value") {
      this.#emit({ kind: "record", bytes: piece.bytes, framing, index, line, ...path });
      return;
    }
    this.#faults += 1;
    if (this.#faults > this.#maxListed) this.#unlisted += 1;
    else this.#emit({ kind: "fault", place: { line, byteOffset, ...path }, fault: piece.fault });
  }

  #emitWhole(): void {
    const whole = joined(this.#held, this.#heldBytes);
    this.#held = [];
    const bytes = trimmed(whole);
    const line = 1 + newlinesBefore(whole, bytes.byteOffset);
    const fault = textFault(bytes);
    if (fault !== undefined) this.#emit({ kind: "fault", place: { line }, fault });
    else this.#emit({ kind: "record", bytes, framing: this.#isArray ? "document" : "lines", index: 0, line });
  }

  #stopIfTooLarge(): void {
    if (!this.#tooLargeToHold) return;
    this.#emit({ kind: "fault", place: {}, fault: oversizeFault(this.#limits.maxRecordBytes) });
    this.done = true;
  }

  #giveUp(): void {
    this.#waiting = [];
    this.#emit({
      kind: "fault",
      place: {},
      fault: {
        code: "not-json",
        reason: `None of the first ${HOPELESS_PIECES} lines or values is a JSON object or array.`,
        remedy: "Drop JSON or JSON Lines, one object per line.",
      },
    });
    this.done = true;
  }

  #endOfItems(): void {
    this.done = true;
    if (this.#unlisted === 0) return;
    this.#emit({
      kind: "fault",
      place: {},
      fault: {
        code: "more-rejections",
        reason: `${this.#unlisted} more parts of this file were rejected and are not listed.`,
        remedy: "Mend the parts listed above and drop the file again.",
      },
    });
  }
}

function newlinesBefore(bytes: Uint8Array, end: number): number {
  return bytes.subarray(0, end).reduce((count, byte) => (byte === 0x0a ? count + 1 : count), 0);
}
