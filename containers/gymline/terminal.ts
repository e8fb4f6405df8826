import { pc } from "./colours.ts";

/** Everything that people see goes through here; results for machines go to stdout as they are. */

export function out(line = ""): void {
  process.stdout.write(`${line}\n`);
}

export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Longer cells are cut with an ellipsis. */
  readonly max?: number;
}

/** A plain table; widths follow the content. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) =>
    columns.map((column, index) => cut(printable(row[index] ?? ""), column.max)),
  );
  const widths = columns.map((column, index) =>
    Math.max(displayWidth(column.title), ...cells.map((row) => displayWidth(row[index] ?? ""))),
  );
  const render = (row: readonly string[]): string =>
    row
      .map((cell, index) => pad(cell, widths[index] ?? 0, columns[index]?.align ?? "left"))
      .join("  ")
      .trimEnd();
  return [pc.dim(render(columns.map(({ title }) => title))), ...cells.map(render)]
    .map((line) => `  ${line}`)
    .join("\n");
}

function cut(text: string, max: number | undefined): string {
  if (max === undefined || displayWidth(text) <= max) return text;
  let kept = "";
  for (const character of text) {
    if (displayWidth(kept + character) > max - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Text out of logs must not move the cursor or recolour the terminal. */
export function printable(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "·")
    .replace(/[\n\t]/g, " ");
}

/** As `printable`, but keeps lines. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Combining marks (variation selectors are some) and format characters such as joiners take no column. */
const NARROW = /\p{Mn}|\p{Me}|\p{Cf}/u;

/** Columns that a text takes on a terminal. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += NARROW.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

function pad(text: string, width: number, align: "left" | "right"): string {
  const space = " ".repeat(Math.max(0, width - displayWidth(text)));
  return align === "left" ? text + space : space + text;
}

export function figure(value: number | null, digits = 3): string {
  return value === null ? "–" : unsigned(value.toFixed(digits));
}

/** What rounds to 0 has no sign. */
export function unsigned(text: string): string {
  return /^-0\.?0*$/.test(text) ? text.slice(1) : text;
}

export function bytesText(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit] ?? "B"}`;
}

/** The largest unit that tells something: `45 s`, `12 min`, `5 h`, `3 days`. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

export function verdict(success: boolean | null): string {
  return success === null ? "–" : success ? "yes" : "no";
}

/** `1 record`, `2 records`. */
export function many(count: number, one: string, several = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : several}`;
}
