import type { Estimate, Interval } from "../statistics/result.ts";

/** Figures as reports show them; what is not known is a dash. */
export function figureText(value: number | null, digits = 3): string {
  if (value === null) return "–";
  const text = value.toFixed(digits);
  return /^-0\.?0*$/.test(text) ? text.slice(1) : text;
}

export function signedText(value: number, digits = 3): string {
  const text = figureText(value, digits);
  return value > 0 && !/^0\.?0*$/.test(text) ? `+${text}` : text;
}

/** Without an interval, why there is none. */
export function intervalText(interval: Interval, digits = 3): string {
  if (interval.low === null) return interval.why.replaceAll("_", " ");
  return `${figureText(interval.low, digits)} to ${figureText(interval.high, digits)}`;
}

export function estimateText(estimate: Estimate): string {
  if (estimate.value === null) return "–";
  return `${figureText(estimate.value)} (${intervalText(estimate.interval, 2)})`;
}

export function pText(p: number | null): string {
  if (p === null) return "–";
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}
