import type { CausalModel, ForwardInput, ForwardOutput } from "../../shared/ports/causal-model.ts";

export const VOCABULARY = 13;

/** The model's rule: what follows hangs on all tokens before and on their order. */
export function logitsAfter(tokens: readonly number[]): Float32Array {
  let hash = 17;
  for (const token of tokens) hash = (Math.imul(hash, 31) + token + 1) | 0;
  return Float32Array.from({ length: VOCABULARY }, (_, token) => {
    const mixed = Math.imul(hash ^ Math.imul(token + 1, 0x9e3779b1), 0x85ebca6b) >>> 0;
    return (mixed / 2 ** 32) * 8;
  });
}

/**
 * A language model of a few lines, in which every mistake of mask, place or cache shows: keys hold the token, values its
 * place. As in many exports, a place that sees nothing becomes NaN, and so does all that stands after a NaN.
 */
export class HashingModel implements CausalModel {
  readonly source = "a hashing model";
  readonly vocabulary = VOCABULARY;
  readonly shape = { parts: 2, heads: 1, width: 1 };
  /** Rows and new tokens of each pass. */
  readonly passes: { readonly rows: number; readonly length: number }[] = [];
  /** Fails once so many tokens stand in a row. */
  readonly #breaksAt: number;

  constructor(breaksAt = Number.POSITIVE_INFINITY) {
    this.#breaksAt = breaksAt;
  }

  async forward({ rows, length, ids, positions, mask, past }: ForwardInput): Promise<ForwardOutput> {
    this.passes.push({ rows, length });
    const columns = past.columns + length;
    if (past.rows !== rows || mask.length !== rows * columns) throw new Error("rows and mask do not fit");
    const logits = new Float32Array(rows * length * VOCABULARY);
    const keys = new Float32Array(rows * columns);
    const values = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row += 1) {
      const [oldKeys, oldValues] = past.parts.map((part) =>
        part.subarray(row * past.columns, (row + 1) * past.columns),
      );
      const tokens = [...(oldKeys ?? []), ...ids.subarray(row * length, (row + 1) * length)];
      const places = [...(oldValues ?? []), ...positions.subarray(row * length, (row + 1) * length)];
      const isSeen = (column: number): boolean => mask[row * columns + column] === 1;
      for (let at = past.columns; at < columns; at += 1) {
        const before = tokens.slice(0, at + 1);
        const seen = before.filter((_, column) => isSeen(column));
        if (isSeen(at) && places[at] !== seen.length - 1)
          throw new Error(`the place of ${seen.length - 1} is ${places[at]}`);
        const lost = seen.length === 0 || before.some(Number.isNaN) || seen.length >= this.#breaksAt;
        if (lost) places[at] = Number.NaN;
        const own = lost ? new Float32Array(VOCABULARY).fill(Number.NaN) : logitsAfter(seen);
        logits.set(own, (row * length + at - past.columns) * VOCABULARY);
        if (seen.length === 0) tokens[at] = Number.NaN;
      }
      keys.set(tokens, row * columns);
      values.set(places, row * columns);
    }
    await Promise.resolve();
    return { logits, present: { rows, columns, parts: [keys, values] } };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
