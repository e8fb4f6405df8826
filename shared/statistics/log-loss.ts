import { levelOf, requirePaired, requireUnit } from "./inputs.ts";
import { meanInterval, meanOf } from "./mean.ts";
import { type Estimate, type LevelOption, notDefined } from "./result.ts";

/**
 * Log loss in nats: mean of −(y ln p + (1 − y) ln(1 − p)); y may be a fraction. Predictions are kept 2⁻⁵² away from 0
 * and 1, so that one that is certain and wrong costs about 36 and not everything. Student's t interval.
 */
export function logLoss(
  predicted: readonly number[],
  observed: readonly number[],
  options: LevelOption = {},
): Estimate {
  requirePaired(predicted, observed);
  requireUnit(predicted, "predicted");
  requireUnit(observed, "observed");
  const level = levelOf(options);
  const losses = predicted.map((value, index) => lossOf(value, observed[index] ?? 0));
  if (losses.length === 0) return notDefined(0, "too_few");
  return {
    value: meanOf(losses),
    n: losses.length,
    interval: meanInterval(losses, { level, within: [0, Number.POSITIVE_INFINITY] }),
  };
}

function lossOf(predicted: number, observed: number): number {
  const p = Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, predicted));
  return -(observed * Math.log(p) + (1 - observed) * Math.log(1 - p));
}
