import type { KeyValueShape, KeyValues } from "../ports/causal-model.ts";

/** Nothing read yet. */
export function noKeyValues(shape: KeyValueShape, rows: number): KeyValues {
  return { rows, columns: 0, parts: Array.from({ length: shape.parts }, () => new Float32Array(0)) };
}

/** A copy of one row's columns in `[from, to)`. */
export function rowOf(
  of: KeyValues,
  { shape, row, from, to }: ColumnsOfRow & { readonly shape: KeyValueShape },
): KeyValues {
  const columns = to - from;
  const { heads, width } = shape;
  const parts = of.parts.map((part) => {
    const copy = new Float32Array(heads * columns * width);
    for (let head = 0; head < heads; head += 1) {
      const start = ((row * heads + head) * of.columns + from) * width;
      copy.set(part.subarray(start, start + columns * width), head * columns * width);
    }
    return copy;
  });
  return { rows: 1, columns, parts };
}

interface ColumnsOfRow {
  readonly row: number;
  readonly from: number;
  readonly to: number;
}

/** Rows one below the other, the shorter ones filled up with zeros on their left. */
export function joined(rows: readonly KeyValues[], shape: KeyValueShape): KeyValues {
  const [only] = rows;
  if (only !== undefined && rows.length === 1) return only;
  const columns = Math.max(0, ...rows.map((row) => row.columns));
  const { heads, width } = shape;
  const parts = Array.from({ length: shape.parts }, (_, index) => {
    const whole = new Float32Array(rows.length * heads * columns * width);
    for (const [at, row] of rows.entries()) {
      const part = row.parts[index] ?? new Float32Array(0);
      const size = row.columns * width;
      for (let head = 0; head < heads; head += 1) {
        const end = (at * heads + head + 1) * columns * width;
        whole.set(part.subarray(head * size, (head + 1) * size), end - size);
      }
    }
    return whole;
  });
  return { rows: rows.length, columns, parts };
}

export function byteSize({ parts }: KeyValues): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}
