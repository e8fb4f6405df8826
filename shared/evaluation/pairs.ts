import type { EvaluationEpisode } from "../contracts/evaluation-episode.ts";
import { type AgentEpisodes, attemptKey } from "./agent-episodes.ts";

/** What two agents did with the same task under the same seed. */
export interface EpisodePair {
  readonly task: string;
  readonly a: EvaluationEpisode;
  readonly b: EvaluationEpisode;
}

export interface Pairing {
  /** Both were done. In the order of tasks and attempts. */
  readonly pairs: readonly EpisodePair[];
  /** Attempts that both made under different seeds: no pairs. */
  readonly unequalSeeds: readonly string[];
  /** Attempts that one of the two lacks. */
  readonly unmatched: readonly string[];
  /** Tasks that one of the two lacks altogether. */
  readonly missingTasks: readonly string[];
}

/** Pairs episodes by task and attempt. A pair in which one episode failed is none. */
export function pairsOf(first: AgentEpisodes, second: AgentEpisodes): Pairing {
  const keyed = (episodes: readonly EvaluationEpisode[]) =>
    new Map(episodes.map((episode) => [JSON.stringify([episode.task, episode.attempt]), episode]));
  const [mine, theirs] = [keyed(first.episodes), keyed(second.episodes)];
  const pairs: EpisodePair[] = [];
  const unequalSeeds: string[] = [];
  for (const [key, a] of mine) {
    const b = theirs.get(key);
    if (b === undefined) continue;
    if (a.seed !== b.seed) unequalSeeds.push(attemptKey(a));
    else if (a.status === "done" && b.status === "done") pairs.push({ task: a.task, a, b });
  }
  const alone = (ours: typeof mine, others: typeof mine): readonly string[] =>
    [...ours].flatMap(([key, episode]) => (others.has(key) ? [] : attemptKey(episode)));
  const tasks = [first, second].map(({ episodes }) => new Set(episodes.map(({ task }) => task)));
  const [tasksA = new Set<string>(), tasksB = new Set<string>()] = tasks;
  return {
    pairs: pairs.sort((x, y) => (x.task === y.task ? x.a.attempt - y.a.attempt : x.task < y.task ? -1 : 1)),
    unequalSeeds: unequalSeeds.sort(),
    unmatched: [...alone(mine, theirs), ...alone(theirs, mine)].sort(),
    missingTasks: [
      ...[...tasksA].filter((task) => !tasksB.has(task)),
      ...[...tasksB].filter((task) => !tasksA.has(task)),
    ].sort(),
  };
}
