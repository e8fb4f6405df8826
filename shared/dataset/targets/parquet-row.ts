import type { Column, ColumnType } from "./column-type.ts";
import type { Row } from "./write-row.ts";

/**
 * A row of one of our Parquet files as its line of JSON would be: whole numbers as numbers, free JSON parsed, and fields
 * of objects that are null left out, since Parquet cannot tell them from absent ones. Columns that the target does not
 * have stay as they are.
 */
export function rowFromParquet(row: Row, columns: readonly Column[]): Row {
  const types = new Map(columns.map(({ name, type }) => [name, type]));
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      const type = types.get(name);
      return [name, type === undefined ? value : valueFromParquet(value, type)];
    }),
  );
}

function valueFromParquet(value: unknown, type: ColumnType): unknown {
  if (value === null || value === undefined) return null;
  if (type === "json") return JSON.parse(String(value));
  if (type === "int64") return Number(value);
  if (typeof type === "string") return value;
  if ("list" in type) return (value as readonly unknown[]).map((item) => valueFromParquet(item, type.list));
  const fields = value as Row;
  return Object.fromEntries(
    type.struct.flatMap(({ name, type: of }) => {
      const field = fields[name] ?? null;
      return field === null ? [] : [[name, valueFromParquet(field, of)]];
    }),
  );
}
