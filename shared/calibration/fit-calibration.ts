import { bootstrapFigures } from "../statistics/bootstrap.ts";
import { brierOf } from "../statistics/brier.ts";
import { eceOf } from "../statistics/ece.ts";
import { meanOf } from "../statistics/mean.ts";
import type { Estimate } from "../statistics/result.ts";
import {
  type CalibrationDocument,
  type CalibrationLayer,
  calibrationDocumentSchema,
  calibrationVersion,
} from "./calibration-document.ts";
import { CalibrationError } from "./calibration-error.ts";
import { type CalibrationRow, clustersOf, inUnit, requireComparable } from "./calibration-row.ts";
import { type Candidate, chooseCalibrator } from "./choose-calibrator.ts";
import { ECE_BINS, RESAMPLES } from "./compare-scores.ts";

/** With fewer labelled rows a fit would follow chance. */
export const LEAST_ROWS_TO_FIT = 10;

export interface FitRequest {
  readonly rows: readonly CalibrationRow[];
  readonly layer: CalibrationLayer;
  readonly labels: CalibrationDocument["labels"];
  readonly seed: number;
  readonly resamples?: number;
  /** ISO 8601. */
  readonly createdAt: string;
}

/**
 * Fits a calibration of one layer and says how good it is on rows that it was not fitted to.
 * @throws CalibrationError where there are too few rows or groups, or nothing varies; it says how many are needed
 */
export function fitCalibration(request: FitRequest): CalibrationDocument {
  const { rows, layer, labels, seed, createdAt } = request;
  requireFittable(rows);
  const clusters = clustersOf(rows);
  const { folds, candidates, chosen, calibrator } = chooseCalibrator(rows, { clusters, seed });
  const identity = candidates.find(({ method }) => method === "identity") ?? chosen;
  const estimates = (heldOut: readonly number[]): HeldOutErrors => {
    const figures = (indices: readonly number[]) => heldOutErrors({ rows, heldOut }, indices);
    const resamples = request.resamples ?? RESAMPLES;
    return bootstrapFigures({ n: rows.length, figures }, { seed, clusters, method: "auto", resamples });
  };
  const figures = new Map(candidates.map((candidate) => [candidate, estimates(candidate.heldOut)]));
  const errorsOf = (candidate: Candidate): HeldOutErrors =>
    figures.get(candidate) ?? estimates(candidate.heldOut);
  const document = {
    schema: "gymline.calibration.v1",
    layer,
    ...calibrator,
    n: rows.length,
    groups: new Set(clusters).size,
    labels,
    cross_validation: {
      folds,
      candidates: candidates.map((candidate) => ({
        method: candidate.method,
        brier: errorsOf(candidate).brier,
        gain: candidate.gain,
        gain_error: candidate.gainError,
      })),
      before: errorsOf(identity),
      after: errorsOf(chosen),
    },
    seed,
    created_at: createdAt,
  };
  return calibrationDocumentSchema.parse({ ...document, version: calibrationVersion(document) });
}

type HeldOutErrors = Readonly<
  Record<"brier" | "mean_absolute_error" | "expected_calibration_error", Estimate>
>;

function heldOutErrors(
  { rows, heldOut }: { readonly rows: readonly CalibrationRow[]; readonly heldOut: readonly number[] },
  indices: readonly number[],
): Readonly<Record<keyof HeldOutErrors, number | null>> {
  const predicted = indices.map((index) => heldOut[index] ?? 0);
  const observed = indices.map((index) => rows[index]?.human ?? 0);
  return {
    brier: brierOf(predicted, observed),
    mean_absolute_error: meanOf(predicted.map((value, index) => Math.abs(value - (observed[index] ?? 0)))),
    expected_calibration_error: eceOf({ predicted, observed }, ECE_BINS),
  };
}

function requireFittable(rows: readonly CalibrationRow[]): void {
  requireComparable(rows);
  const outside = rows.find(({ score, human }) => !inUnit(score) || !inUnit(human));
  if (outside !== undefined) {
    throw new CalibrationError(
      `row ${outside.id}: a calibration needs scores between 0 and 1, not ${outside.score} and ${outside.human}; scale them`,
    );
  }
  if (rows.length < LEAST_ROWS_TO_FIT) {
    throw new CalibrationError(
      `${rows.length} labelled: at least ${LEAST_ROWS_TO_FIT} are needed to fit a calibration; label ${LEAST_ROWS_TO_FIT - rows.length} more`,
    );
  }
  for (const [name, values] of [
    ["human", rows.map(({ human }) => human)],
    ["automatic", rows.map(({ score }) => score)],
  ] as const) {
    if (new Set(values).size >= 2) continue;
    throw new CalibrationError(
      `all ${rows.length} ${name} scores are ${values[0]}: at least 2 different ones are needed to fit a calibration; label trajectories that differ`,
    );
  }
  if (new Set(clustersOf(rows)).size < 2) {
    throw new CalibrationError(
      `all ${rows.length} rows are of one group: at least 2 groups are needed, so that one can be held out; label other tasks too`,
    );
  }
}
