/**
 * Keys and values of attention, of some rows (sequences) and columns (places). One array for each layer's keys and each
 * layer's values, in the model's order: `[rows, heads, columns, width]`, row-major.
 */
export interface KeyValues {
  readonly rows: number;
  readonly columns: number;
  readonly parts: readonly Float32Array[];
}

/** One pass over new tokens of several sequences at once. */
export interface ForwardInput {
  readonly rows: number;
  /** New tokens per row. */
  readonly length: number;
  /** `[rows, length]`. */
  readonly ids: Int32Array;
  /** `[rows, length]`: the place of each token in its own sequence, from 0. */
  readonly positions: Int32Array;
  /** `[rows, past.columns + length]`: 1 where a column holds a token of the row, 0 where it only fills up. */
  readonly mask: Uint8Array;
  readonly past: KeyValues;
}

export interface ForwardOutput {
  /** `[rows, length, vocabulary]`. */
  readonly logits: Float32Array;
  /** Past and new columns together. */
  readonly present: KeyValues;
}

/** A language model that predicts the next token, with its cache outside of it. */
export interface CausalModel {
  /** Named in errors. */
  readonly source: string;
  /** Width of the logits. */
  readonly vocabulary: number;
  readonly shape: KeyValueShape;
  /** @throws InferenceError */
  forward(input: ForwardInput): Promise<ForwardOutput>;
  close(): Promise<void>;
}

/** `parts`: twice the number of layers; each has `heads × width` numbers a column. */
export interface KeyValueShape {
  readonly parts: number;
  readonly heads: number;
  readonly width: number;
}

/** A model cannot compute what it was asked, or what it computed is no number. Names the model and what to do. */
export class InferenceError extends Error {
  override readonly name = "InferenceError";
}
