import type { OutcomeSpec } from "../domains/profile.ts";
import { param } from "./rule-step.ts";

const yes: ReadonlySet<string> = new Set([
  "true",
  "yes",
  "1",
  "success",
  "successful",
  "passed",
  "resolved",
  "completed",
]);
const no: ReadonlySet<string> = new Set([
  "false",
  "no",
  "0",
  "",
  "failure",
  "failed",
  "unresolved",
  "error",
  "none",
  "null",
]);

/**
 * Score of an outcome in [0, 1], or null where the outcome does not say how it went.
 *
 * In this order: partial credit; passed ÷ total (the total may be missing where failures are counted);
 * a `score` above 0 (0 is what writers leave where they have no score); success. Fields that are null, no
 * number or not finite are passed over; every result is clamped.
 */
export function scoreOutcome(outcome: unknown, spec: OutcomeSpec): number | null {
  if (typeof outcome !== "object" || outcome === null || Array.isArray(outcome)) return null;
  const fields = outcome as Readonly<Record<string, unknown>>;
  const read = (field: string): unknown => (field === "" ? undefined : param(fields, field));

  const partial = toNumber(read(spec.partialCreditField));
  if (partial !== null) return clamp(partial);
  const ratio = ratioOf(read, spec);
  if (ratio !== null) return clamp(ratio);
  if (spec.successField === "") return null;
  const score = toNumber(read("score"));
  if (score !== null && score > 0) return clamp(score);
  const success = toVerdict(read(spec.successField));
  return success === null ? null : Number(success);
}

function ratioOf(read: (field: string) => unknown, spec: OutcomeSpec): number | null {
  const passed = toNumber(read(spec.scoreField));
  const failed = toNumber(read(spec.failedField));
  const total = toNumber(read(spec.totalField));
  if (total !== null && total > 0) return (passed ?? 0) / total;
  if (passed === null || failed === null || passed < 0 || failed < 0 || passed + failed === 0) return null;
  return passed / (passed + failed);
}

function toNumber(value: unknown): number | null {
  if (typeof value === "boolean") return Number(value);
  const number =
    typeof value === "string" && value.trim() !== "" && value.length < 40 ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : null;
}

function toVerdict(value: unknown): boolean | null {
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isNaN(value) ? null : value !== 0;
  if (typeof value !== "string") return null;
  const word = value.trim().toLowerCase();
  if (yes.has(word)) return true;
  return no.has(word) ? false : null;
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}

/**
 * Reference steps ÷ steps, at most 1: how close a run came to the known effort. 1 where there is no
 * reference, 0 where a reference exists and nothing was done.
 */
export function scoreEfficiency(steps: number, referenceSteps: number): number {
  if (!(referenceSteps > 0)) return 1;
  return steps <= 0 ? 0 : Math.min(1, referenceSteps / steps);
}

/**
 * The same against what other runs usually take: reference ÷ (reference + steps). Half at the reference, and, unlike
 * a ratio that is cut at 1, it tells runs below it apart too.
 */
export function scoreRelativeLength(steps: number, reference: number): number {
  return reference / (reference + Math.max(0, steps));
}
