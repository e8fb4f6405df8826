/**
 * Compact letter display by insertion and absorption (Piepho 2004, "An Algorithm for a Letter-Based Representation of
 * All-Pairwise Comparisons"): `items` in the order of their rank, best first; two items share a letter exactly if
 * `differ` does not hold of them. Letters beyond the 26th are doubled.
 */
export function compactLetters(
  count: number,
  differ: (first: number, second: number) => boolean,
): readonly string[] {
  let columns: ReadonlySet<number>[] = [new Set(Array.from({ length: count }, (_, item) => item))];
  for (let first = 0; first < count; first += 1) {
    for (let second = first + 1; second < count; second += 1) {
      if (differ(first, second)) columns = separated(columns, first, second);
    }
  }
  const ordered = columns
    .map((column) => [...column].sort((a, b) => a - b))
    .sort((a, b) => comparePlaces(a, b));
  return Array.from({ length: count }, (_, item) =>
    ordered.flatMap((column, index) => (column.includes(item) ? letterOf(index) : [])).join(""),
  );
}

function separated(
  columns: readonly ReadonlySet<number>[],
  first: number,
  second: number,
): ReadonlySet<number>[] {
  const split = columns.flatMap((column) => {
    if (!(column.has(first) && column.has(second))) return [column];
    return [first, second].map((left) => new Set([...column].filter((item) => item !== left)));
  });
  return absorbed(split);
}

/** Without the columns that lie within another. */
function absorbed(columns: readonly ReadonlySet<number>[]): ReadonlySet<number>[] {
  return columns.filter(
    (column, index) =>
      !columns.some(
        (other, at) =>
          at !== index &&
          [...column].every((item) => other.has(item)) &&
          (column.size < other.size || at < index),
      ),
  );
}

function comparePlaces(a: readonly number[], b: readonly number[]): number {
  for (const [index, place] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    if (place !== other) return place - other;
  }
  return a.length - b.length;
}

function letterOf(index: number): string {
  return String.fromCharCode(97 + (index % 26)).repeat(1 + Math.floor(index / 26));
}
