import { CHECKS, type CheckPlace, type CheckResult } from "./checks.ts";

/** Checks found what must not be in a dataset: nothing was registered, and no file of the version is left. */
export class DatasetCheckError extends Error {
  override readonly name = "DatasetCheckError";
  readonly dataset: string;
  readonly failed: readonly CheckResult[];

  constructor(dataset: string, failed: readonly CheckResult[]) {
    const what = failed.map(checkText).join("\n");
    const ids = failed.map(({ id }) => `--allow ${id}`).join(" ");
    super(
      `the dataset "${dataset}" was not written: ${failed.length === 1 ? "a check" : `${failed.length} checks`} failed\n${what}\n  to let it pass all the same: ${ids} (dataset.checks.allow)`,
    );
    this.dataset = dataset;
    this.failed = failed;
  }
}

/** What one check found, where, and what to do, in two lines. */
export function checkText({ id, count, places }: CheckResult): string {
  const shown = places.map(placeText);
  const more =
    count > places.length && places.some(({ row }) => row > 0) ? [`${count - places.length} more`] : [];
  return `  ${id}: ${count} (${CHECKS[id].finds}): ${[...shown, ...more].join("; ")}\n    → ${CHECKS[id].remedy}`;
}

/** `train row 12 (3f2a91…: prompt)`. */
function placeText({ split, row, id, what }: CheckPlace): string {
  const about = [id === undefined ? undefined : shortId(id), what].filter((part) => part !== undefined);
  const text = about.join(": ");
  if (row === 0) return split === "all" ? text : `${split}`;
  return `${split} row ${row}${text === "" ? "" : ` (${text})`}`;
}

function shortId(id: string): string {
  return /^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id.replace(/[\u0000-\u001f\u007f]/g, " ");
}
