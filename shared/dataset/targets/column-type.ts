/**
 * Type of a column. `json` is free JSON: written as it is in JSON Lines, as JSON text in Parquet, since a column of
 * Parquet or Arrow would give every object the keys of all others.
 */
export type ColumnType =
  | "string"
  | "bool"
  | "int64"
  | "float64"
  | "json"
  | { readonly list: ColumnType }
  | { readonly struct: readonly Field[] };

export interface Field {
  readonly name: string;
  readonly type: ColumnType;
}

export interface Column extends Field {
  readonly meaning: string;
  /** The trainer leaves it alone: it is for people, filters and tracing. */
  readonly extra?: true;
  /** A row may lack it or have null there: the source may not say it. */
  readonly optional?: true;
}

export function list(of: ColumnType): ColumnType {
  return { list: of };
}

/** Fields by name, in order. */
export function struct(fields: Readonly<Record<string, ColumnType>>): ColumnType {
  return { struct: Object.entries(fields).map(([name, type]) => ({ name, type })) };
}

/** Whether free JSON is anywhere in it. */
export function hasJson(type: ColumnType): boolean {
  if (typeof type === "string") return type === "json";
  return "list" in type ? hasJson(type.list) : type.struct.some((field) => hasJson(field.type));
}

/** As people read it, such as `list<{role: string, content: string}>`. */
export function typeText(type: ColumnType): string {
  if (typeof type === "string") return type;
  if ("list" in type) return `list<${typeText(type.list)}>`;
  return `{${type.struct.map(({ name, type: of }) => `${name}: ${typeText(of)}`).join(", ")}}`;
}
