import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyCalibrator, type Calibrator } from "../../shared/calibration/calibrator.ts";
import { fitIsotonic } from "../../shared/calibration/fit-isotonic.ts";
import { fitLinear } from "../../shared/calibration/fit-linear.ts";
import { fitPlatt } from "../../shared/calibration/fit-platt.ts";
import { close, vectors } from "../statistics/vectors.ts";

const unit = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.25, 0.5, 1));
const pointsOf = fc.array(fc.record({ score: unit, human: unit }), { minLength: 1, maxLength: 40 });
const ways = [fitLinear, fitPlatt, fitIsotonic] as const;

function pointsFrom({
  score,
  human,
}: {
  readonly score: readonly number[];
  readonly human: readonly number[];
}) {
  return score.map((value, index) => ({ score: value, human: human[index] ?? 0 }));
}

function lossOf(
  calibrator: Calibrator,
  points: readonly { readonly score: number; readonly human: number }[],
): number {
  return points.reduce((sum, { score, human }) => sum + (applyCalibrator(calibrator, score) - human) ** 2, 0);
}

describe("the fits agree with scikit-learn and scipy", () => {
  it("least squares", () => {
    for (const one of vectors.fits) {
      const { parameters } = fitLinear(pointsFrom(one));
      const [slope, intercept] = one.line;
      if (slope < 0) continue;
      expect(close(parameters.slope, slope) && close(parameters.intercept, intercept)).toBe(true);
    }
  });

  it("Platt's curve", () => {
    for (const one of vectors.fits) {
      const { parameters } = fitPlatt(pointsFrom(one));
      const [slope, intercept] = one.curve;
      if (slope < 0) continue;
      expect(parameters.slope).toBeCloseTo(slope, 5);
      expect(parameters.intercept).toBeCloseTo(intercept, 5);
    }
  });

  it("the heights of the isotonic steps", () => {
    for (const one of vectors.fits) {
      const heights = fitIsotonic(pointsFrom(one)).parameters.knots.map(([, height]) => height);
      expect(heights).toHaveLength(one.heights.length);
      for (const [index, height] of heights.entries()) expect(height).toBeCloseTo(one.heights[index] ?? 9, 9);
    }
  });
});

describe("every fit", () => {
  it("never falls and stays within 0 and 1, whatever it was fitted to", () => {
    fc.assert(
      fc.property(pointsOf, fc.array(unit, { minLength: 2 }), (points, scores) => {
        for (const way of ways) {
          const calibrator = way(points);
          const calibrated = scores
            .toSorted((a, b) => a - b)
            .map((score) => applyCalibrator(calibrator, score));
          for (const [index, value] of calibrated.entries()) {
            expect(value >= 0 && value <= 1).toBe(true);
            expect(value).toBeGreaterThanOrEqual(calibrated[index - 1] ?? 0);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("gives the mean where all scores are the same or people say the opposite of the scores", () => {
    const same = [0.2, 0.4, 0.9].map((human) => ({ score: 0.3, human }));
    const opposite = [0.1, 0.5, 0.9].map((score) => ({ score, human: 1 - score }));
    for (const way of ways) {
      for (const score of [0, 0.5, 1]) {
        expect(applyCalibrator(way(same), score)).toBeCloseTo(0.5, 6);
        expect(applyCalibrator(way(opposite), score)).toBeCloseTo(0.5, 6);
      }
    }
  });

  it("of a line is no worse on its own points than leaving the scores as they are", () => {
    fc.assert(
      fc.property(pointsOf, (points) => {
        const asTheyAre = lossOf({ method: "identity", parameters: {} }, points);
        expect(lossOf(fitLinear(points), points)).toBeLessThanOrEqual(asTheyAre + 1e-9);
      }),
    );
  });

  it("refuses what is no score", () => {
    for (const score of [Number.NaN, -0.1, 1.1]) {
      expect(() => applyCalibrator({ method: "identity", parameters: {} }, score)).toThrow(RangeError);
    }
  });

  it("stays finite where scores separate good from bad", () => {
    const points = [0.1, 0.2, 0.3, 0.7, 0.8, 0.9].map((score) => ({ score, human: score > 0.5 ? 1 : 0 }));
    const { slope, intercept } = fitPlatt(points).parameters;
    expect([Number.isFinite(slope), Number.isFinite(intercept)]).toEqual([true, true]);
    expect(applyCalibrator(fitPlatt(points), 0.9)).toBeLessThan(0.9);
  });
});
