import type { Judgement } from "../contracts/judgement.ts";
import type { ModelScores } from "../reward/step-score.ts";
import { mean } from "../statistics/mean.ts";
import type { Estimate } from "../statistics/result.ts";
import { proportion } from "../statistics/wilson.ts";
import type { SwappedVerdict } from "./pairwise.ts";

/** Repeats that lie this close are taken to agree: one anchor apart. */
const CLOSE = 0.25;

export interface RepeatConsistency {
  readonly rubric: string;
  /** Over steps: the mean distance between two repeats. */
  readonly meanDifference: Estimate;
  /** Share of steps whose repeats all lie within 0.25. */
  readonly close: Estimate;
}

/**
 * How well a judge agrees with itself, by rubric: n counts the steps that were scored at least twice. Steps of one
 * trajectory resemble each other, so intervals over few trajectories are too narrow.
 * @param repeats for each step, the scores it was given each time; null or a missing rubric for none
 */
export function repeatConsistency(
  repeats: readonly (readonly (ModelScores | null)[])[],
  rubrics: readonly string[],
): readonly RepeatConsistency[] {
  return rubrics.map((rubric) => {
    const differences: number[] = [];
    let close = 0;
    for (const step of repeats) {
      const values = step.flatMap((scores) =>
        scores !== null && Object.hasOwn(scores, rubric) ? (scores[rubric] ?? []) : [],
      );
      if (values.length < 2) continue;
      differences.push(meanDistance(values));
      if (Math.max(...values) - Math.min(...values) <= CLOSE) close += 1;
    }
    return { rubric, meanDifference: mean(differences), close: proportion(close, differences.length) };
  });
}

/** Mean distance over all pairs. */
function meanDistance(values: readonly number[]): number {
  let sum = 0;
  let pairs = 0;
  for (const [i, left] of values.entries()) {
    for (const right of values.slice(i + 1)) {
      sum += Math.abs(left - right);
      pairs += 1;
    }
  }
  return sum / pairs;
}

export interface SwapConsistency {
  /** Pairs asked about both ways. */
  readonly n: number;
  /** Share of pairs whose verdict survived the swap, ties included. */
  readonly consistent: Estimate;
  readonly ties: number;
  /** Share of pairs where the place decided, not the attempt. */
  readonly inconsistent: Estimate;
}

/** How far a pairwise judge depends on which attempt comes first. */
export function swapConsistency(verdicts: readonly SwappedVerdict[]): SwapConsistency {
  const n = verdicts.length;
  const inconsistent = verdicts.filter(({ kind }) => kind === "inconsistent").length;
  return {
    n,
    consistent: proportion(n - inconsistent, n),
    ties: verdicts.filter(({ kind }) => kind === "tie").length,
    inconsistent: proportion(inconsistent, n),
  };
}

export interface DisagreementSummary {
  readonly rubric: string;
  /** Over steps judged several times: the standard deviation of their scores. */
  readonly meanDeviation: Estimate;
  /** The greatest deviation; null where there is none. */
  readonly greatest: number | null;
  /** Share of steps whose deviation is above 0.25. */
  readonly wide: Estimate;
}

/** How far the samples of judgements lie apart, by rubric. */
export function summariseDisagreement(
  judgements: Iterable<Pick<Judgement, "steps">>,
  rubrics: readonly string[],
): readonly DisagreementSummary[] {
  const deviations = new Map<string, number[]>(rubrics.map((rubric) => [rubric, []]));
  for (const { steps } of judgements) {
    for (const { disagreement } of steps) {
      for (const [rubric, value] of Object.entries(disagreement ?? {})) deviations.get(rubric)?.push(value);
    }
  }
  return rubrics.map((rubric) => {
    const values = deviations.get(rubric) ?? [];
    return {
      rubric,
      meanDeviation: mean(values),
      greatest: values.length === 0 ? null : values.reduce((most, value) => Math.max(most, value), 0),
      wide: proportion(values.filter((value) => value > CLOSE).length, values.length),
    };
  });
}
