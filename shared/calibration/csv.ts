/** Rows of comma-separated values (RFC 4180) with the line on which each starts; empty lines are left out. */
export function parseCsv(
  text: string,
): readonly { readonly line: number; readonly cells: readonly string[] }[] {
  const rows: { line: number; cells: string[] }[] = [];
  let [line, start] = [1, 1];
  let cells: string[] = [];
  const end = (): void => {
    if (cells.length > 1 || cells[0] !== "") rows.push({ line: start, cells });
    cells = [];
    start = line;
  };
  // A cell, quoted or not, and what ends it.
  const cell = /(?:"((?:[^"]|"")*)"|((?!")[^,\r\n]*))(,|\r\n|\n|\r|$)/y;
  while (cell.lastIndex <= text.length) {
    const found = cell.exec(text);
    if (found === null)
      throw new SyntaxError(`line ${line}: a quoted cell does not end, or goes on after its quote`);
    const [, quoted, bare, stop = ""] = found;
    cells.push(quoted === undefined ? (bare ?? "").trim() : quoted.replaceAll('""', '"'));
    line += (quoted?.match(/\n/g)?.length ?? 0) + (stop === "," || stop === "" ? 0 : 1);
    if (stop !== ",") end();
    if (stop === "") break;
  }
  return rows;
}
