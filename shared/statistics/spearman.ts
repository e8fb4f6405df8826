import { levelOf, requirePaired } from "./inputs.ts";
import { correlationInterval, correlationTest, pearsonOf } from "./pearson.ts";
import { averageRanks } from "./ranks.ts";
import { type Correlation, type LevelOption, notDefined } from "./result.ts";

/** Spearman's ρ: Pearson's r of the average ranks; null as there. */
export function spearmanOf(x: readonly number[], y: readonly number[]): number | null {
  return pearsonOf(averageRanks(x), averageRanks(y));
}

/**
 * Spearman's rank correlation with its p-value (Student's t) and the interval of Bonett and Wright (2000), whose
 * standard error of artanh ρ is √((1 + ρ²/2) / (n − 3)).
 */
export function spearman(x: readonly number[], y: readonly number[], options: LevelOption = {}): Correlation {
  requirePaired(x, y);
  const level = levelOf(options);
  const n = x.length;
  if (n < 2) return notDefined(n, "too_few");
  const value = spearmanOf(x, y);
  if (value === null) return notDefined(n, "constant");
  const error = Math.sqrt((1 + value ** 2 / 2) / (n - 3));
  return {
    value,
    n,
    interval: correlationInterval({ r: value, error, level, method: "bonett_wright" }),
    test: correlationTest(value, n),
  };
}
