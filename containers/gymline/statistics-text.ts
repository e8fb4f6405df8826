import type { Estimate, Interval, PValue, WhyUndefined } from "../../shared/statistics/result.ts";
import { figure, unsigned } from "./terminal.ts";

const WHY: Readonly<Record<WhyUndefined, string>> = {
  too_few: "too few",
  constant: "no variation",
  one_class: "one class only",
  no_variance: "no variation",
  unstable: "unstable",
};

/** `0.512 (0.43 to 0.59)`; without an interval, the reason. */
export function estimateText(estimate: Estimate): string {
  if (estimate.value === null) return "–";
  return `${figure(estimate.value)} (${intervalText(estimate.interval)})`;
}

export function intervalText(interval: Interval, digits = 2): string {
  if (interval.low === null) return WHY[interval.why];
  return `${unsigned(interval.low.toFixed(digits))} to ${unsigned(interval.high.toFixed(digits))}`;
}

export function signed(value: number, digits = 3): string {
  const text = value.toFixed(digits);
  return value > 0 ? `+${text}` : text;
}

/** `0.012`, `< 0.001`, or why there is no p-value. */
export function pText(test: PValue | number | null): string {
  const p = typeof test === "number" || test === null ? test : test.p;
  if (p === null) return typeof test === "object" && test !== null && test.p === null ? WHY[test.why] : "–";
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}
