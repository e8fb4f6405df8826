/** A model that gives the probability of success for rows of features. */
export interface ValueModel {
  /** Numbers in a row. */
  readonly width: number;
  /**
   * @param rows `count` rows of `width` numbers, one after another
   * @param set the place, counted from 1, of the set that all of the rows are of among the sets that the model knows;
   * 0, the default, is any other set
   * @returns one probability in [0, 1] for each row
   * @throws ValueModelError
   */
  predict(rows: Float32Array, count: number, set?: number): Promise<Float32Array>;
  /** Gives back what the model holds outside the heap. */
  close(): Promise<void>;
}

/** A model that cannot be loaded, or that cannot take what it was given. */
export class ValueModelError extends Error {
  override readonly name = "ValueModelError";
}
