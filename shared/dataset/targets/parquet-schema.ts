import type { SchemaElement } from "hyparquet-writer";
import type { Column, ColumnType, Field } from "./column-type.ts";
import { numberOf } from "./exact-json.ts";

/** The columns as a Parquet schema, depth first; everything but a list's inner group may be null. */
export function parquetSchema(columns: readonly Column[]): SchemaElement[] {
  const root: SchemaElement = { name: "schema", num_children: columns.length };
  return [root, ...columns.flatMap(elementsOf)];
}

function elementsOf({ name, type }: Field): SchemaElement[] {
  const repetition_type = "OPTIONAL" as const;
  if (typeof type === "object" && "list" in type) {
    const wrapper: SchemaElement = { name, repetition_type, num_children: 1, converted_type: "LIST" };
    const repeated: SchemaElement = { name: "list", repetition_type: "REPEATED", num_children: 1 };
    return [wrapper, repeated, ...elementsOf({ name: "element", type: type.list })];
  }
  if (typeof type === "object") {
    return [{ name, repetition_type, num_children: type.struct.length }, ...type.struct.flatMap(elementsOf)];
  }
  if (type === "bool") return [{ name, repetition_type, type: "BOOLEAN" }];
  if (type === "int64") return [{ name, repetition_type, type: "INT64" }];
  if (type === "float64") return [{ name, repetition_type, type: "DOUBLE" }];
  return [{ name, repetition_type, type: "BYTE_ARRAY", converted_type: "UTF8" }];
}

/** A value of JSON, from `parseAsWritten`, as Parquet takes it: whole numbers as big integers, free JSON as its text. */
export function parquetValue(value: unknown, type: ColumnType): unknown {
  if (value === undefined || value === null) return null;
  if (type === "json") return JSON.stringify(value);
  if (type === "int64") return BigInt(numberOf(value));
  if (type === "float64") return numberOf(value);
  if (typeof type === "string") return value;
  if ("list" in type) return (value as readonly unknown[]).map((item) => parquetValue(item, type.list));
  const fields = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(type.struct.map(({ name, type: of }) => [name, parquetValue(fields[name], of)]));
}
