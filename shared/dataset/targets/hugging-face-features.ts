import type { ColumnType, Field } from "./column-type.ts";

/**
 * The columns' types as the front matter of a card gives them to Hugging Face `datasets`, so that a column that is
 * empty in the first rows, or in one split, is not taken for something else.
 */
export function featuresYaml(columns: readonly Field[]): string {
  return `dataset_info:\n  features:\n${columns.map((field) => featureLines(field, 4)).join("")}`;
}

function featureLines({ name, type }: Field, indent: number): string {
  const space = " ".repeat(indent);
  return `${space}- name: ${name}\n${typeLines(type, indent + 2)}`;
}

/** `dtype: …`, `list: …` or `struct:` with its fields, at an indent. */
function typeLines(type: ColumnType, indent: number): string {
  const space = " ".repeat(indent);
  if (typeof type === "string") return `${space}dtype: ${type}\n`;
  if ("struct" in type) return `${space}struct:\n${fieldLines(type.struct, indent)}`;
  const { list } = type;
  if (typeof list === "string") return `${space}list: ${list}\n`;
  if ("struct" in list) return `${space}list:\n${fieldLines(list.struct, indent)}`;
  return `${space}list:\n${typeLines(list, indent + 2)}`;
}

function fieldLines(fields: readonly Field[], indent: number): string {
  return fields.map((field) => featureLines(field, indent + 2)).join("");
}
