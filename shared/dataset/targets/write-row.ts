import { JsonPieces } from "../../trajectory/json-pieces.ts";
import { type Column, type ColumnType, hasJson } from "./column-type.ts";
import { loadableLine } from "./exact-json.ts";

export type Row = Readonly<Record<string, unknown>>;

/**
 * One line of JSON with its newline, in pieces: the columns in their order, those that the row does not have left out.
 * `of`: what the row's texts are from, where more is written of them. Fractions keep a decimal point even where they
 * are whole: loaders infer a column's type from what they meet first, and a list that starts with 1 would be taken for
 * integers.
 */
export function rowPieces(row: Row, columns: readonly Column[], of?: object): readonly string[] {
  const json = new JsonPieces(of);
  let before = "{";
  for (const { name, type } of columns) {
    const value = row[name];
    if (value === undefined) continue;
    json.raw(`${before}${JSON.stringify(name)}:`);
    before = ",";
    writeValue(json, value, type);
  }
  json.raw(before === "{" ? "{}\n" : "}\n");
  const pieces = json.take();
  return columns.some(({ type }) => hasJson(type)) ? loadableLine(pieces) : pieces;
}

/** Long texts stand apart down to this many levels: messages in a list, and the messages of a list of lists. */
const DEPTH = 3;

function writeValue(json: JsonPieces, value: unknown, type: ColumnType): void {
  if (value === null || !hasFractions(type)) json.value(value, DEPTH);
  else if (type === "float64") json.raw(decimal(value));
  else if (typeof type === "object" && "list" in type) writeList(json, value, type.list);
  else if (typeof type === "object" && "struct" in type) writeStruct(json, value, type.struct);
}

function writeList(json: JsonPieces, value: unknown, of: ColumnType): void {
  json.raw("[");
  for (const [index, item] of (value as readonly unknown[]).entries()) {
    if (index > 0) json.raw(",");
    writeValue(json, item, of);
  }
  json.raw("]");
}

function writeStruct(
  json: JsonPieces,
  value: unknown,
  fields: readonly Pick<Column, "name" | "type">[],
): void {
  let before = "{";
  for (const { name, type } of fields) {
    const item = (value as Row)[name];
    if (item === undefined) continue;
    json.raw(`${before}${JSON.stringify(name)}:`);
    before = ",";
    writeValue(json, item, type);
  }
  json.raw(before === "{" ? "{}" : "}");
}

function decimal(value: unknown): string {
  if (typeof value !== "number" || !Number.isFinite(value)) return "null";
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? value.toFixed(1) : String(value);
}

function hasFractions(type: ColumnType): boolean {
  if (typeof type === "string") return type === "float64";
  return "list" in type ? hasFractions(type.list) : type.struct.some((field) => hasFractions(field.type));
}
