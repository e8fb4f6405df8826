import type { EvaluatedAgent } from "../contracts/evaluation.ts";
import type { EvaluationEpisode } from "../contracts/evaluation-episode.ts";
import { EvaluationError } from "./evaluation-error.ts";

/** An agent and what it did. */
export interface AgentEpisodes extends EvaluatedAgent {
  readonly episodes: readonly EvaluationEpisode[];
  /** False where what ran the agent does not say which of its actions were refused. True unless given. */
  readonly violationsCounted?: boolean;
}

/** Which episodes there should be, for every agent alike. */
export interface PlannedEpisode {
  readonly task: string;
  /** From 0. */
  readonly attempt: number;
  readonly seed: number;
}

/** What tells an attempt at a task, in an order that is the same wherever it is made. */
export function attemptKey({ task, attempt }: Pick<PlannedEpisode, "task" | "attempt">): string {
  return `${task}#${attempt}`;
}

/** @throws EvaluationError where an agent has no name of its own, or two episodes of one attempt */
export function checkAgents(agents: readonly AgentEpisodes[]): void {
  const names = new Set<string>();
  for (const { name, episodes } of agents) {
    if (names.has(name)) {
      throw new EvaluationError(`There are two agents "${name}"; give each one a name of its own`);
    }
    names.add(name);
    const seen = new Set<string>();
    for (const episode of episodes) {
      const key = JSON.stringify([episode.task, episode.attempt]);
      if (seen.has(key)) {
        throw new EvaluationError(
          `The agent "${name}" has two episodes of attempt ${episode.attempt} at the task "${episode.task}"; keep one of them`,
        );
      }
      seen.add(key);
    }
  }
}
