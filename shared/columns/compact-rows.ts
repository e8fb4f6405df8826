import { Chunks } from "./chunks.ts";
import { DigestColumn } from "./digest-column.ts";
import { type GroupedRows, TextColumn } from "./text-column.ts";

/** What rows hold by kind of column: 32, 4, 8 or 1 byte a row, and each distinct text once. */
interface ColumnValues {
  readonly digest: string;
  readonly digestOrNull: string | null;
  readonly text: string;
  readonly textOrNull: string | null;
  readonly number: number;
  readonly numberOrNull: number | null;
  readonly booleanOrNull: boolean | null;
}

export type RowShape = Readonly<Record<string, keyof ColumnValues>>;
export type RowOf<S extends RowShape> = { readonly [K in keyof S]: ColumnValues[S[K]] };

/** Rows that can be walked over as often as needed, and counted without a walk. */
export interface Rows<T> extends Iterable<T> {
  readonly length: number;
}

/**
 * Rows of short facts that are held by the million: columns of typed arrays, from which a row is made when it is looked
 * at. A list of objects takes four to six times the memory and all of the collector's time.
 */
export class CompactRows<S extends RowShape> implements Rows<RowOf<S>> {
  readonly #columns: readonly (readonly [keyof S, Values])[];
  #length = 0;

  constructor(shape: S) {
    this.#columns = Object.entries(shape).map(([name, kind]) => [name, COLUMNS[kind]()] as const);
  }

  get length(): number {
    return this.#length;
  }

  /** Whatever else the row holds is left out. */
  push(row: RowOf<S>): void {
    for (const [name, values] of this.#columns) values.push(row[name]);
    this.#length += 1;
  }

  /** Of a row that there is. */
  at(index: number): RowOf<S> {
    const row: Partial<Record<keyof S, unknown>> = {};
    for (const [name, values] of this.#columns) row[name] = values.at(index);
    return row as RowOf<S>;
  }

  *[Symbol.iterator](): Generator<RowOf<S>> {
    for (let index = 0; index < this.#length; index += 1) yield this.at(index);
  }

  /** The rows by the texts of a column of the kind `text`. @throws TypeError for any other column */
  grouped(name: keyof S): GroupedRows {
    const [, values] = this.#columns.find(([column]) => column === name) ?? [];
    if (!(values instanceof TextColumn)) throw new TypeError(`rows cannot be grouped by ${String(name)}`);
    return values.grouped();
  }
}

interface Values {
  push(value: unknown): void;
  at(index: number): unknown;
}

const COLUMNS: Readonly<Record<keyof ColumnValues, () => Values>> = {
  digest: () => new DigestColumn() as Values,
  digestOrNull: () => orNull(new DigestColumn()),
  text: () => new TextColumn() as Values,
  textOrNull: () => orNull(new TextColumn()),
  number: () => new Chunks((length) => new Float64Array(length)) as Values,
  numberOrNull: () => numbersOrNull(),
  booleanOrNull: () => verdicts(),
};

/** null stands as a text that no id or name is. */
const NULL = "\u0000";

function orNull(column: DigestColumn | TextColumn): Values {
  return {
    push: (value) => column.push(typeof value === "string" ? value : NULL),
    at: (index) => {
      const text = column.at(index);
      return text === NULL ? null : text;
    },
  };
}

/** NaN stands for null. */
function numbersOrNull(): Values {
  const numbers = new Chunks((length) => new Float64Array(length));
  return {
    push: (value) => numbers.push(typeof value === "number" ? value : Number.NaN),
    at: (index) => {
      const value = numbers.at(index);
      return Number.isNaN(value) ? null : value;
    },
  };
}

function verdicts(): Values {
  const codes = new Chunks((length) => new Int8Array(length));
  return {
    push: (value) => codes.push(value === null ? -1 : value === true ? 1 : 0),
    at: (index) => (codes.at(index) === -1 ? null : codes.at(index) === 1),
  };
}
