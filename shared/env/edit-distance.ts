/** Least number of characters to insert, delete or exchange (Levenshtein). Time and memory: product of the lengths. */
export function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [i, a] of [...left].entries()) {
    let diagonal = row[0] ?? 0;
    const next = [i + 1];
    for (const [j, b] of [...right].entries()) {
      const above = row[j + 1] ?? 0;
      next.push(Math.min(above + 1, (next[j] ?? 0) + 1, diagonal + (a === b ? 0 : 1)));
      diagonal = above;
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
