import { normalCritical } from "./distributions.ts";
import { levelOf, StatisticsInputError } from "./inputs.ts";
import { type Estimate, type LevelOption, notDefined } from "./result.ts";

/** A share with Wilson's score interval (1927), without continuity correction. */
export function proportion(successes: number, n: number, options: LevelOption = {}): Estimate {
  if (!(Number.isInteger(successes) && Number.isInteger(n) && successes >= 0 && successes <= n)) {
    throw new StatisticsInputError(
      `${successes} of ${n} is no share: give counts, the first at most the second`,
    );
  }
  const level = levelOf(options);
  if (n === 0) return notDefined(0, "too_few");
  const z2 = normalCritical(level) ** 2;
  const share = successes / n;
  const centre = (share + z2 / (2 * n)) / (1 + z2 / n);
  const half = Math.sqrt((z2 / n) * (share * (1 - share) + z2 / (4 * n))) / (1 + z2 / n);
  return {
    value: share,
    n,
    interval: {
      level,
      method: "wilson",
      low: successes === 0 ? 0 : Math.max(0, centre - half),
      high: successes === n ? 1 : Math.min(1, centre + half),
    },
  };
}
