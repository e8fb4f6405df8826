import type { Estimate } from "../../shared/statistics/result.ts";

export function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
}

/** A value with its interval. */
export function shown(estimate: Estimate): string {
  if (estimate.value === null) return "–";
  const {
    value,
    interval: { low, high },
  } = estimate;
  return low === null ? value.toFixed(3) : `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
