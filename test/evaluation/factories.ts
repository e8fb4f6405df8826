import type { EvaluationEpisode } from "../../shared/contracts/evaluation-episode.ts";
import type { AgentEpisodes, PlannedEpisode } from "../../shared/evaluation/agent-episodes.ts";

export function episode(over: Partial<EvaluationEpisode> = {}): EvaluationEpisode {
  return {
    ...{ task: "t0", attempt: 0, seed: 1, status: "done", success: true, return: 1, steps: 2 },
    ...{ cost_usd: 0.01, seconds: 1, violations: 0 },
    ...over,
  };
}

export function agent(name: string, episodes: readonly EvaluationEpisode[]): AgentEpisodes {
  return { name, model: null, configuration: {}, episodes };
}

/** One episode for each verdict; `outcomes[task][attempt]`. */
export function attempts(outcomes: readonly (readonly boolean[])[]): readonly EvaluationEpisode[] {
  return outcomes.flatMap((verdicts, task) =>
    verdicts.map((success, attempt) =>
      episode({ task: `t${task}`, attempt, seed: task * 100 + attempt, success, return: Number(success) }),
    ),
  );
}

export function plan(episodes: readonly EvaluationEpisode[]): readonly PlannedEpisode[] {
  return episodes.map(({ task, attempt, seed }) => ({ task, attempt, seed }));
}
