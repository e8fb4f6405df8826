import type { Outcome } from "../gymline-extra.ts";
import { count, field, filled, type JsonRecord, number } from "./read.ts";

const VERDICTS = [
  "resolved",
  "success",
  "is_success",
  "successful",
  "passed",
  "solved",
  "is_solved",
  "is_resolved",
  "is_correct",
  "correct",
] as const;
const GRADES = ["reward", "score", "partial_credit"] as const;
const COUNTS = ["tests_passed", "tests_failed", "tests_total"] as const;
const TRUE = new Set(["true", "pass", "passed", "success", "resolved", "yes"]);
const FALSE = new Set(["false", "fail", "failed", "failure", "unresolved", "no"]);

/** True, false, 0, 1 or the words for them; undefined for anything else. */
export function verdict(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (value === 1) return true;
  if (value === 0) return false;
  const word = filled(value)?.trim().toLowerCase();
  if (word === undefined) return undefined;
  return TRUE.has(word) ? true : FALSE.has(word) ? false : undefined;
}

/**
 * Reads the outcome labels that stand under their usual names in `source` into `outcome`; what is there already
 * stays. A `reward` of exactly 1 or 0 is a verdict too; any other number is only a score. A number outside
 * [0, 1] is on a scale that is not known and goes to the outcome's metadata.
 * @returns the keys that were read.
 */
export function readLabels(source: JsonRecord, path: string, outcome: Outcome): readonly string[] {
  const used: string[] = [];
  for (const key of VERDICTS) {
    const success = verdict(field(source, key));
    if (success === undefined) continue;
    used.push(key);
    if (outcome.success === null) {
      outcome.success = success;
      outcome.label_source = labelPath(path, key);
    } else if (outcome.success !== success) addFact(outcome, key, success);
  }
  for (const key of GRADES) {
    const grade = number(field(source, key));
    if (grade === undefined) continue;
    used.push(key);
    const free = outcome.score === undefined || outcome.score === null;
    if (grade < 0 || grade > 1 || !free) addFact(outcome, key, grade);
    else outcome.score = grade;
    if (key === "reward" && outcome.success === null && (grade === 0 || grade === 1)) {
      outcome.success = grade === 1;
      outcome.label_source = labelPath(path, key);
    }
  }
  for (const key of COUNTS) {
    const tests = count(field(source, key));
    if (tests === undefined) continue;
    used.push(key);
    outcome[key] ??= tests;
  }
  return [...used, ...readRemarks(source, outcome)];
}

function readRemarks(source: JsonRecord, outcome: Outcome): readonly string[] {
  const used: string[] = [];
  const status = ["exit_status", "termination_reason"].find(
    (key) => filled(field(source, key)) !== undefined,
  );
  const statusText = status === undefined ? undefined : filled(field(source, status));
  if (status !== undefined && statusText !== undefined && outcome.exit_status === undefined) {
    outcome.exit_status = statusText;
    used.push(status);
  }
  const feedback = filled(field(source, "feedback"));
  if (feedback !== undefined && outcome.feedback === undefined) {
    outcome.feedback = feedback;
    used.push("feedback");
  }
  const rating = field(source, "rating");
  if (typeof rating === "string" || typeof rating === "number" || typeof rating === "boolean") {
    addFact(outcome, "rating", rating);
    used.push("rating");
  }
  return used;
}

/** Keys are fixed names, never data. */
function addFact(outcome: Outcome, key: string, value: unknown): void {
  outcome.metadata = { ...outcome.metadata, [key]: value };
}

function labelPath(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}
