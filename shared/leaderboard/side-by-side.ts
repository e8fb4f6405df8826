import { round4 } from "../reward/rounding.ts";
import type { ScoreDocument, ScoreLayer } from "../reward/score-document.ts";

/** A score in figures that can stand beside those of another. */
export interface ScoreFacts {
  /** null where no layer scored. */
  readonly total: number | null;
  readonly outcome: number | null;
  readonly process: number | null;
  readonly efficiency: number | null;
  readonly steps: number;
  readonly layers: readonly ScoreLayer[];
  /** By rubric id: mean over the steps it applies to, how many those are; four decimal places. */
  readonly rubrics: Readonly<Record<string, { readonly mean: number; readonly n: number }>>;
  /** Deductions by code. */
  readonly deductions: Readonly<Record<string, number>>;
}

export function scoreFacts(score: ScoreDocument): ScoreFacts {
  const sums = new Map<string, { sum: number; n: number }>();
  const deductions = new Map<string, number>();
  for (const step of score.steps) {
    for (const [rubric, value] of Object.entries(step.rubrics)) {
      const sum = sums.get(rubric) ?? { sum: 0, n: 0 };
      sum.sum += value;
      sum.n += 1;
      sums.set(rubric, sum);
    }
    for (const { code } of step.reasons) deductions.set(code, (deductions.get(code) ?? 0) + 1);
  }
  const { outcome, process, efficiency, layers } = score;
  return {
    total: layers.length === 0 ? null : score.total,
    outcome,
    process,
    efficiency,
    steps: score.step_count,
    layers,
    rubrics: Object.fromEntries([...sums].map(([id, { sum, n }]) => [id, { mean: round4(sum / n), n }])),
    deductions: Object.fromEntries(deductions),
  };
}
