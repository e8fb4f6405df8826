import { meanOf } from "../statistics/mean.ts";
import { type CalibratorOf, sigmoid } from "./calibrator.ts";
import type { FitPoint } from "./fit-linear.ts";

const MOST_STEPS = 100;
const SMALLEST_STEP = 1e-10;

/**
 * Platt's logistic curve (1999) by the damped Newton method of Lin, Lin and Weng (2007); human scores may be fractions.
 * As there, targets are drawn in a little, as if one more good and one more bad had been seen, so that scores which
 * separate good from bad do not give an endless slope. Where the curve would fall, the level one at the mean.
 */
export function fitPlatt(points: readonly FitPoint[]): CalibratorOf<"platt"> {
  const good = points.reduce((sum, { human }) => sum + human, 0);
  const low = 1 / (points.length - good + 2);
  const high = (good + 1) / (good + 2);
  const drawn = points.map(({ score, human }) => ({ score, target: low + human * (high - low) }));
  const mean = meanOf(drawn.map(({ target }) => target));
  const level = { slope: 0, intercept: Math.log(mean / (1 - mean)) };
  const fitted = isVaried(points) ? newton(drawn, level) : level;
  return { method: "platt", parameters: fitted.slope >= 0 ? fitted : level };
}

interface Curve {
  readonly slope: number;
  readonly intercept: number;
}

interface Target {
  readonly score: number;
  readonly target: number;
}

function isVaried(points: readonly FitPoint[]): boolean {
  return points.some(({ score }) => score !== points[0]?.score);
}

function newton(points: readonly Target[], start: Curve): Curve {
  let curve = start;
  let loss = lossOf(points, curve);
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const direction = newtonDirection(points, curve);
    if (Math.hypot(direction.slope, direction.intercept) < SMALLEST_STEP) return curve;
    let moved = false;
    for (let size = 1; size > SMALLEST_STEP && !moved; size /= 2) {
      const next = {
        slope: curve.slope + size * direction.slope,
        intercept: curve.intercept + size * direction.intercept,
      };
      const nextLoss = lossOf(points, next);
      if (!(nextLoss < loss)) continue;
      [curve, loss, moved] = [next, nextLoss, true];
    }
    if (!moved) return curve;
  }
  return curve;
}

/** Log loss without overflow: ln(1 + e^z) − t·z. */
function lossOf(points: readonly Target[], { slope, intercept }: Curve): number {
  let loss = 0;
  for (const { score, target } of points) {
    const z = intercept + slope * score;
    loss += Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - target * z;
  }
  return loss;
}

function newtonDirection(points: readonly Target[], { slope, intercept }: Curve): Curve {
  // A trace on the diagonal keeps the matrix invertible where scores hardly differ.
  let [aa, ab, bb, a, b] = [1e-12, 0, 1e-12, 0, 0];
  for (const { score, target } of points) {
    const p = sigmoid(intercept + slope * score);
    const weight = p * (1 - p);
    aa += weight * score * score;
    ab += weight * score;
    bb += weight;
    a += (target - p) * score;
    b += target - p;
  }
  const determinant = aa * bb - ab * ab;
  return { slope: (bb * a - ab * b) / determinant, intercept: (aa * b - ab * a) / determinant };
}
