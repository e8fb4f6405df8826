import type { CalibrationRow } from "../../shared/calibration/calibration-row.ts";
import type { FitRequest } from "../../shared/calibration/fit-calibration.ts";
import { createRandom } from "../../shared/statistics/random.ts";

/** Rows of given columns, each by itself. */
export function rowsOf(scores: readonly number[], humans: readonly number[]): readonly CalibrationRow[] {
  return scores.map((score, index) => ({
    id: `row-${index}`,
    group: null,
    score,
    human: humans[index] ?? Number.NaN,
    success: null,
  }));
}

/** Seeded rows whose human score is `shape` of the score with noise; `perGroup` rows share a task. */
export function drawnRows(of: {
  readonly n: number;
  readonly seed: number;
  readonly shape: (score: number) => number;
  readonly noise?: number;
  readonly perGroup?: number;
}): readonly CalibrationRow[] {
  const random = createRandom(of.seed);
  const { noise = 0.1, perGroup = 2 } = of;
  return Array.from({ length: of.n }, (_, index) => {
    const score = random.float();
    const human = Math.min(1, Math.max(0, of.shape(score) + noise * (2 * random.float() - 1)));
    return {
      id: `row-${index}`,
      group: `task-${Math.floor(index / perGroup)}`,
      score,
      human,
      success: random.float() < human,
    };
  });
}

export function fitRequest(rows: readonly CalibrationRow[], more: Partial<FitRequest> = {}): FitRequest {
  return {
    rows,
    layer: "total",
    labels: { by_annotator: { ann: rows.length }, by_kind: { overall: rows.length }, alpha: null },
    seed: 1,
    resamples: 100,
    createdAt: "2026-01-02T03:04:05.000Z",
    ...more,
  };
}
