import type { Column, ColumnType } from "../../../shared/dataset/targets/column-type.ts";

/** Where a row is not what its target's columns say; empty where it is. */
export function faultsOf(row: unknown, columns: readonly Column[]): readonly string[] {
  const fields = new Map(columns.map(({ name, type }) => [name, type]));
  if (typeof row !== "object" || row === null) return ["the row is no object"];
  return Object.entries(row).flatMap(([name, value]) => {
    const type = fields.get(name);
    return type === undefined ? [`${name}: no such column`] : faults(value, type, name);
  });
}

function faults(value: unknown, type: ColumnType, path: string): readonly string[] {
  if (value === null) return [];
  if (type === "json") return [];
  if (type === "string") return typeof value === "string" ? [] : [`${path}: no string`];
  if (type === "bool") return typeof value === "boolean" ? [] : [`${path}: no boolean`];
  if (type === "int64") return Number.isInteger(value) ? [] : [`${path}: no whole number`];
  if (type === "float64") return typeof value === "number" ? [] : [`${path}: no number`];
  if ("list" in type) {
    if (!Array.isArray(value)) return [`${path}: no list`];
    return value.flatMap((item, index) => faults(item, type.list, `${path}[${index}]`));
  }
  if (typeof value !== "object" || Array.isArray(value)) return [`${path}: no object`];
  const fields = new Map(type.struct.map(({ name, type: of }) => [name, of]));
  return Object.entries(value).flatMap(([name, item]) => {
    const of = fields.get(name);
    return of === undefined ? [`${path}.${name}: no such field`] : faults(item, of, `${path}.${name}`);
  });
}
