/** One dropped object, readable from any offset (zip needs its end first). */
export interface ByteSource {
  /** Drop key or path; used in records and rejections. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /**
   * The bytes of `[start, end)`, or all of them. May be called many times. Chunks belong to the caller once
   * yielded: the source must not write to them again.
   */
  open(range?: ByteRange): AsyncIterable<Uint8Array>;
}

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * How the record sat in its file: the `document` that is the whole file, one `row` of a list of many records, or
 * all the `lines` of a file that are together one trajectory.
 */
export type Framing = "document" | "row" | "lines";

/** One trajectory's part of a file, as exact bytes (no BOM, no surrounding space, comma or newline). */
export interface SourceRecord {
  readonly source: string;
  /** Path inside an archive; nested archives are joined with `!`. */
  readonly entry?: string;
  /** Ordinal in the file (or archive entry), from 0; rejected parts count too. */
  readonly index: number;
  /** First line, from 1. */
  readonly line?: number;
  /** For an element of a top-level array, such as `$[3]`. */
  readonly jsonPath?: string;
  /** Valid UTF-8 without NUL; not yet parsed, so not yet known to be valid JSON. */
  readonly bytes: Uint8Array;
  readonly framing: Framing;
}

/** Tells a part of one trajectory (an event, a message) from a trajectory of its own. Pure; must not throw. */
export interface RecordFramer {
  isPart(value: unknown): boolean;
}
