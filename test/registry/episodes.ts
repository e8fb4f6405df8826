import type { EvaluationEpisode } from "../../shared/contracts/evaluation-episode.ts";
import type { PlannedEpisode } from "../../shared/registry/pair-episodes.ts";

/** An episode that ended; `over` changes it. */
export function episode(over: Partial<EvaluationEpisode> = {}): EvaluationEpisode {
  return {
    task: "t0",
    attempt: 0,
    seed: 7,
    status: "done",
    success: true,
    return: 1,
    steps: 4,
    cost_usd: 0.01,
    seconds: 2,
    violations: 0,
    ...over,
  };
}

/** `tasks` × `attempts` episodes; `of` says what is special about each. */
export function episodes(
  { tasks, attempts = 1 }: { readonly tasks: number; readonly attempts?: number },
  of: (task: number, attempt: number) => Partial<EvaluationEpisode>,
): readonly EvaluationEpisode[] {
  return Array.from({ length: tasks * attempts }, (_, index) => {
    const [task, attempt] = [Math.floor(index / attempts), index % attempts];
    return episode({ task: `t${task}`, attempt, seed: 1000 + index, ...of(task, attempt) });
  });
}

export function planOf(all: readonly EvaluationEpisode[]): readonly PlannedEpisode[] {
  return all.map(({ task, attempt, seed }) => ({ task, attempt, seed }));
}
