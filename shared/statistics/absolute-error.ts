import { levelOf, requirePaired } from "./inputs.ts";
import { meanInterval, meanOf } from "./mean.ts";
import { type Estimate, type LevelOption, notDefined } from "./result.ts";

/** Mean absolute difference of two columns, with Student's t interval. */
export function meanAbsoluteError(
  x: readonly number[],
  y: readonly number[],
  options: LevelOption = {},
): Estimate {
  requirePaired(x, y);
  const level = levelOf(options);
  const errors = x.map((value, index) => Math.abs(value - (y[index] ?? 0)));
  if (errors.length === 0) return notDefined(0, "too_few");
  return {
    value: meanOf(errors),
    n: errors.length,
    interval: meanInterval(errors, { level, within: [0, Number.POSITIVE_INFINITY] }),
  };
}
