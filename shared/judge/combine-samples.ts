import type { Rubric } from "../reward/rubrics.ts";
import type { ModelScores } from "../reward/step-score.ts";
import type { AnsweredStep } from "./parse-answer.ts";

/** What several answers to one window say of a step. */
export interface CombinedStep {
  readonly index: number;
  /** Mean over the answers that scored the rubric. */
  readonly scores: ModelScores;
  /** Population standard deviation over them, by rubric; absent where one answer was asked for. */
  readonly disagreement?: ModelScores;
  /** That of the answer whose scores lie nearest to the mean. */
  readonly rationale: string;
}

/**
 * Combines the answers to one window. A rubric of a step counts if more than half of the answers asked for scored it:
 * failed answers are votes withheld, so that a judge that mostly fails does not rule by the one answer that came.
 * @param samples one entry for each answer asked for; null for one that gave nothing
 */
export function combineSamples(
  samples: readonly (readonly AnsweredStep[] | null)[],
  options: { readonly rubrics: readonly Pick<Rubric, "id">[]; readonly indices: readonly number[] },
): readonly CombinedStep[] {
  const answers = samples.map((steps) => new Map((steps ?? []).map((step) => [step.index, step])));
  const combined: CombinedStep[] = [];
  for (const index of options.indices) {
    const votes = answers.flatMap((steps) => steps.get(index) ?? []);
    const means: [string, number][] = [];
    const deviations: [string, number][] = [];
    for (const { id } of options.rubrics) {
      const values = votes.flatMap(({ scores }) => (Object.hasOwn(scores, id) ? (scores[id] ?? []) : []));
      if (values.length * 2 <= samples.length) continue;
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      means.push([id, Math.min(1, Math.max(0, mean))]);
      deviations.push([id, Math.sqrt(variance)]);
    }
    if (means.length === 0) continue;
    const scores = Object.fromEntries(means);
    combined.push({
      index,
      scores,
      ...(samples.length > 1 ? { disagreement: Object.fromEntries(deviations) } : {}),
      rationale: nearest(votes, scores)?.rationale ?? "",
    });
  }
  return combined;
}

function nearest(votes: readonly AnsweredStep[], means: ModelScores): AnsweredStep | undefined {
  const distance = ({ scores }: AnsweredStep): number =>
    Object.entries(means).reduce((sum, [id, mean]) => sum + Math.abs((scores[id] ?? mean + 1) - mean), 0);
  let best: AnsweredStep | undefined;
  for (const vote of votes) if (best === undefined || distance(vote) < distance(best)) best = vote;
  return best;
}
