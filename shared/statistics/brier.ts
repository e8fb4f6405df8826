import { levelOf, requirePaired, requireUnit } from "./inputs.ts";
import { meanInterval, meanOf } from "./mean.ts";
import { type Estimate, type LevelOption, notDefined } from "./result.ts";

/** Mean squared difference. */
export function brierOf(predicted: readonly number[], observed: readonly number[]): number | null {
  if (predicted.length === 0) return null;
  return meanOf(predicted.map((value, index) => (value - (observed[index] ?? 0)) ** 2));
}

/**
 * Brier score (1950): the mean squared difference of predictions and observations, both in [0, 1]; observations may be
 * fractions. Student's t interval.
 */
export function brierScore(
  predicted: readonly number[],
  observed: readonly number[],
  options: LevelOption = {},
): Estimate {
  requirePaired(predicted, observed);
  requireUnit(predicted, "predicted");
  requireUnit(observed, "observed");
  const level = levelOf(options);
  const squares = predicted.map((value, index) => (value - (observed[index] ?? 0)) ** 2);
  if (squares.length === 0) return notDefined(0, "too_few");
  return {
    value: meanOf(squares),
    n: squares.length,
    interval: meanInterval(squares, { level, within: [0, 1] }),
  };
}
