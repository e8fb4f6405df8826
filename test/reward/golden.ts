import { existsSync, readFileSync } from "node:fs";
import type { RuleStep } from "../../shared/reward/rule-step.ts";

/** One vector of the reference set; what stands in it differs from file to file. */
export interface GoldenCase<Input, Expected> {
  readonly name: string;
  readonly input: Input;
  readonly expected: Expected;
  readonly reference_defect?: string;
}

export interface GoldenTrajectory {
  readonly steps?: readonly unknown[];
  readonly outcome?: unknown;
  readonly reference_steps?: number;
}

export interface GoldenScore {
  readonly total_score: number;
  readonly outcome_score: number;
  readonly process_score: number;
  readonly efficiency_score: number;
  readonly step_count: number;
  readonly step_rewards: readonly {
    readonly rubric_scores: Readonly<Record<string, number>>;
    readonly total_score: number;
  }[];
}

export type GoldenRule = GoldenCase<
  { readonly domain: string; readonly trajectory: GoldenTrajectory },
  {
    readonly redundancy: readonly number[];
    readonly regression: readonly number[];
    readonly info_utilization: readonly number[];
    readonly score_rule_only: GoldenScore;
  }
>;

const folder = new URL("../../../shared/reference/golden/", import.meta.url);

/** Vectors are kept beside the repository; tests that need them skip where they are not there. */
export const hasGolden = existsSync(folder);
export const whyGolden = hasGolden ? "" : " (skipped: ../shared/reference/golden is not there)";

export function golden<Case extends GoldenCase<unknown, unknown>>(file: string): readonly Case[] {
  if (!hasGolden) return [];
  return JSON.parse(readFileSync(new URL(file, folder), "utf8"));
}

/** The vectors' steps, one call each, as they stand: missing and malformed fields included. */
export function stepsOf(trajectory: GoldenTrajectory): readonly RuleStep[] {
  return (trajectory.steps ?? []).map((step) => ({ calls: [step] }) as unknown as RuleStep);
}
