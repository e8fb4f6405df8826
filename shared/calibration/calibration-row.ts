import { CalibrationError } from "./calibration-error.ts";

/** An automatic score beside what people said of the same thing. */
export interface CalibrationRow {
  /** Names the row in errors. */
  readonly id: string;
  /** What rows of one kind share, such as their task: they are resampled and held out together. null: by itself. */
  readonly group: string | null;
  readonly score: number;
  readonly human: number;
  /** Whether people say that the task was solved, where they say so. */
  readonly success: boolean | null;
}

/** Rows that can be compared at all. */
const LEAST_ROWS = 2;

/** @throws CalibrationError where there are fewer than two rows or a value is no finite number */
export function requireComparable(rows: readonly CalibrationRow[]): void {
  for (const { id, score, human } of rows) {
    if (Number.isFinite(score) && Number.isFinite(human)) continue;
    throw new CalibrationError(
      `row ${id}: score ${score} and human score ${human} must both be finite numbers; correct or leave out the row`,
    );
  }
  if (rows.length < LEAST_ROWS) {
    throw new CalibrationError(
      `${rows.length} labelled: at least ${LEAST_ROWS} scores with a human score are needed to compare them`,
    );
  }
}

/** Whether all scores lie in [0, 1], where the scale means something. */
export function onUnitScale(rows: readonly CalibrationRow[]): boolean {
  return rows.every(({ score, human }) => inUnit(score) && inUnit(human));
}

export function inUnit(value: number): boolean {
  return value >= 0 && value <= 1;
}

/** The cluster of each row; one that names no group is a cluster of its own. */
export function clustersOf(rows: readonly CalibrationRow[]): readonly string[] {
  return rows.map(({ group }, index) => (group === null ? `row ${index}` : `group ${group}`));
}
