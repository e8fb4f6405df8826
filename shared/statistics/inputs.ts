import { DEFAULT_LEVEL, type LevelOption } from "./result.ts";

/** What was given to a statistic cannot be meant: lengths differ, a value is no finite number or out of its range. */
export class StatisticsInputError extends Error {
  override readonly name = "StatisticsInputError";
}

export function requireFinite(values: readonly number[], name: string): void {
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index >= 0) {
    throw new StatisticsInputError(
      `${name}[${index}] is ${values[index]}: every value must be a finite number`,
    );
  }
}

/** @throws StatisticsInputError where lengths differ or a value is not finite */
export function requirePaired(x: readonly number[], y: readonly number[]): void {
  requireSameLength(x, y);
  requireFinite(x, "x");
  requireFinite(y, "y");
}

export function requireSameLength(x: readonly unknown[], y: readonly unknown[]): void {
  if (x.length !== y.length) {
    throw new StatisticsInputError(
      `${x.length} values stand against ${y.length}: give one for each of the same things, in the same order`,
    );
  }
}

/** @throws StatisticsInputError where a value lies outside [0, 1] */
export function requireUnit(values: readonly number[], name: string): void {
  const index = values.findIndex((value) => !(value >= 0 && value <= 1));
  if (index >= 0) {
    throw new StatisticsInputError(`${name}[${index}] is ${values[index]}: it must lie between 0 and 1`);
  }
}

/** @throws StatisticsInputError where the level lies outside (0, 1) */
export function levelOf(options: LevelOption): number {
  const level = options.level ?? DEFAULT_LEVEL;
  if (!(level > 0 && level < 1)) {
    throw new StatisticsInputError(`the confidence level ${level} must lie between 0 and 1, as 0.95 does`);
  }
  return level;
}

export function isConstant(values: readonly number[]): boolean {
  const [first] = values;
  return values.every((value) => value === first);
}
