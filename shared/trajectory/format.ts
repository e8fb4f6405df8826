import type { Draft } from "./draft.ts";

/** A log format: how to recognise it by content, and how to turn one record into trajectories. */
export interface Format {
  /** Kebab-case name, as in `--format`. */
  readonly name: string;
  /** One line for `gymline formats`. */
  readonly description: string;
  /** Version of the converter; it rises whenever its output changes, so that `reprocess` finds old documents. */
  readonly version: string;
  /** A generic format yields where a more specific one matches too (any chat log is `openai-messages`). */
  readonly generic?: boolean;
  /** Judges one record: a JSON document, one row, or the list of all events or messages of a file. */
  detect(value: unknown): Detection;
  /** Is this value (one line, or one element of a top-level array) a part of ONE trajectory: an event, a message? */
  isPart?(value: unknown): boolean;
  /**
   * Converts a record that `detect` accepted (or that the user forced with `--format`).
   * @throws ConversionError where the record cannot be carried over at all.
   */
  convert(input: FormatInput): readonly Draft[];
}

export type Detection =
  | { readonly match: true; readonly variant: string }
  | {
      readonly match: false;
      /** How near it came, 0 (nothing in common) to 1; decides which format a rejection names. */
      readonly near: number;
      /** What was missing, as JSON paths or short phrases; never content. */
      readonly missing: readonly string[];
    };

export interface FormatInput {
  readonly value: unknown;
  readonly variant: string;
  /** File stem without folders and endings: the last resort for a task or session name. */
  readonly stem: string;
}

/** The record has the format's look but cannot be converted. */
export class ConversionError extends Error {
  override readonly name = "ConversionError";
  readonly code: string;
  /** JSON path inside the record. */
  readonly jsonPath: string;
  readonly remedy: string;

  constructor(problem: {
    readonly code: string;
    readonly jsonPath: string;
    readonly reason: string;
    readonly remedy: string;
    readonly cause?: unknown;
  }) {
    super(problem.reason, { cause: problem.cause });
    this.code = problem.code;
    this.jsonPath = problem.jsonPath;
    this.remedy = problem.remedy;
  }
}
