import type { Manifest } from "../dataset/manifest.ts";
import type { SplitName } from "../dataset/split.ts";

/** A row by its number within the split and within its file, both from 1. */
export interface RowPlace {
  readonly split: SplitName;
  readonly number: number;
  readonly path: string;
  readonly line: number;
}

type Files = Pick<Manifest, "files">;

/** Where a row of a split stands; undefined where the split has fewer rows. */
export function placeOfRow(
  { files }: Files,
  { split, number }: Pick<RowPlace, "split" | "number">,
): RowPlace | undefined {
  let before = 0;
  for (const file of files) {
    if (file.split !== split) continue;
    if (number > before && number <= before + file.rows) {
      return { split, number, path: file.path, line: number - before };
    }
    before += file.rows;
  }
  return undefined;
}

/** Which row of its split stands in a line of a file; undefined where the file has fewer rows, or is none of them. */
export function placeOfLine(
  { files }: Files,
  { path, line }: Pick<RowPlace, "path" | "line">,
): RowPlace | undefined {
  const file = files.find((each) => each.path === path);
  if (file === undefined || line < 1 || line > file.rows) return undefined;
  const earlier = files.slice(0, files.indexOf(file)).filter(({ split }) => split === file.split);
  const before = earlier.reduce((sum, { rows }) => sum + rows, 0);
  return { split: file.split, number: before + line, path, line };
}
