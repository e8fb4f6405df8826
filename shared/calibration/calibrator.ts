import { z } from "zod";

const slope = z.number().nonnegative();
const unit = z.number().min(0).max(1);

const knotsSchema = z
  .array(z.tuple([unit, unit]))
  .min(1)
  .refine(
    (knots) =>
      knots.every(([x, y], index) => {
        const [beforeX, beforeY] = knots[index - 1] ?? [-1, 0];
        return x > beforeX && y >= beforeY;
      }),
    { message: "scores must rise from knot to knot, and what they become must not fall" },
  );

/** Parameters by method; none lets a higher score become a lower one. */
export const calibratorParameters = {
  identity: z.strictObject({}),
  /** intercept + slope · score, cut to [0, 1]. */
  linear: z.strictObject({ slope, intercept: z.number() }),
  /** 1 / (1 + e^−(intercept + slope · score)). */
  platt: z.strictObject({ slope, intercept: z.number() }),
  /** [score, what it becomes]; straight lines between, level outside. */
  isotonic: z.strictObject({ knots: knotsSchema }),
} as const;

export type CalibratorMethod = keyof typeof calibratorParameters;

/** A fitted way from an automatic score to what people would say. */
export type Calibrator = {
  [Method in CalibratorMethod]: {
    readonly method: Method;
    readonly parameters: Readonly<z.infer<(typeof calibratorParameters)[Method]>>;
  };
}[CalibratorMethod];

/** One of a given method. */
export type CalibratorOf<Method extends CalibratorMethod> = Extract<Calibrator, { readonly method: Method }>;

/** Never falls where the score rises. @param score in [0, 1] @throws RangeError for another score */
export function applyCalibrator(calibrator: Calibrator, score: number): number {
  if (!(score >= 0 && score <= 1)) throw new RangeError(`a score lies between 0 and 1, not at ${score}`);
  switch (calibrator.method) {
    case "identity":
      return score;
    case "linear": {
      const { slope: rise, intercept } = calibrator.parameters;
      return Math.min(1, Math.max(0, intercept + rise * score));
    }
    case "platt": {
      const { slope: rise, intercept } = calibrator.parameters;
      return sigmoid(intercept + rise * score);
    }
    case "isotonic":
      return interpolate(calibrator.parameters.knots, score);
  }
}

export function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

function interpolate(knots: readonly (readonly [number, number])[], score: number): number {
  const above = knots.findIndex(([x]) => x > score);
  if (above === 0) return knots[0]?.[1] ?? 0;
  const [x0, y0] = knots.at(above === -1 ? -1 : above - 1) ?? [0, 0];
  const [x1, y1] = knots[above] ?? [0, y0];
  if (above === -1) return y0;
  // Rounding must not lead past the upper knot.
  return Math.min(y1, y0 + (y1 - y0) * ((score - x0) / (x1 - x0)));
}
