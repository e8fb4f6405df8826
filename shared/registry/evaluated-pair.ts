import type { EvaluationEpisode } from "../contracts/evaluation-episode.ts";
import type { EvaluationParts } from "../evaluation/evaluation-of.ts";
import type { PlannedEpisode } from "./pair-episodes.ts";

/** Two agents of a stored evaluation, as the gate takes them. */
export interface EvaluatedPair {
  readonly planned: readonly PlannedEpisode[];
  readonly candidate: readonly EvaluationEpisode[];
  /** null where no champion is named. */
  readonly champion: readonly EvaluationEpisode[] | null;
}

/**
 * The episodes of candidate and champion, by the names that their agents have in the evaluation. The document states how
 * many there should be: where an attempt is there for neither of them, nothing counts as planned, and the gate calls the
 * evaluation invalid. Violations that nobody counted are no zeros.
 */
export function evaluatedPair(
  { document, lines }: EvaluationParts,
  names: { readonly candidate: string; readonly champion: string | null },
): EvaluatedPair {
  const uncounted = new Set(
    document.problems.flatMap(({ code, agents }) => (code === "violations_not_counted" ? agents : [])),
  );
  const of = (agent: string): readonly EvaluationEpisode[] =>
    lines.flatMap(({ agent: name, ...episode }) => {
      if (name !== agent) return [];
      return [uncounted.has(agent) ? { ...episode, violations: Number.NaN } : episode];
    });
  const candidate = of(names.candidate);
  const champion = names.champion === null ? null : of(names.champion);
  const attempts = new Map(
    [...candidate, ...(champion ?? [])].map(({ task, attempt, seed }) => [
      JSON.stringify([task, attempt]),
      { task, attempt, seed },
    ]),
  );
  const isWhole = attempts.size === document.tasks.count * document.attempts;
  return { planned: isWhole ? [...attempts.values()] : [], candidate, champion };
}
