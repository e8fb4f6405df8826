import type { EvaluationEpisode } from "../contracts/evaluation-episode.ts";
import type { Condition } from "../contracts/model.ts";

/** An episode that was to be run, for each model. */
export type PlannedEpisode = Pick<EvaluationEpisode, "task" | "attempt" | "seed">;

export interface EpisodePair {
  readonly task: string;
  readonly candidate: EvaluationEpisode;
  readonly champion: EvaluationEpisode;
}

type Data = Extract<Condition, { readonly id: "data" }>;

export interface Paired {
  readonly pairs: readonly EpisodePair[];
  /** Whether the pairs may be compared at all. */
  readonly data: Data;
}

export interface EpisodesOf {
  readonly candidate: readonly EvaluationEpisode[];
  readonly champion: readonly EvaluationEpisode[];
  /** Without it, what either of them has; an episode that both lack is then not missed. */
  readonly planned?: readonly PlannedEpisode[] | undefined;
}

/** Pairs episodes of the same task and attempt. What is missing, repeated, not planned, or has another seed is counted. */
export function pairEpisodes({ candidate, champion, planned }: EpisodesOf): Paired {
  const [mine, theirs] = [byKey(candidate), byKey(champion)];
  const wanted =
    planned === undefined ? undefined : new Map(planned.map((each) => [keyOf(each), each] as const));
  const keys = wanted === undefined ? new Set([...mine.first.keys(), ...theirs.first.keys()]) : wanted;
  const pairs: EpisodePair[] = [];
  const missing = { candidate: 0, champion: 0 };
  let unequal = 0;
  for (const key of keys.keys()) {
    const [one, other] = [mine.first.get(key), theirs.first.get(key)];
    if (one === undefined) missing.candidate += 1;
    if (other === undefined) missing.champion += 1;
    if (one === undefined || other === undefined) continue;
    const seed = wanted?.get(key)?.seed ?? one.seed;
    if (one.seed !== seed || other.seed !== seed) unequal += 1;
    pairs.push({ task: one.task, candidate: one, champion: other });
  }
  const strange = (of: ReadonlyMap<string, unknown>): number =>
    [...of.keys()].filter((key) => !keys.has(key)).length;
  const facts = {
    planned: wanted?.size ?? null,
    pairs: pairs.length,
    missing,
    unplanned: { candidate: strange(mine.first), champion: strange(theirs.first) },
    repeated: { candidate: mine.repeated, champion: theirs.repeated },
    unequal_seeds: unequal,
  };
  const repeatedPlan = planned !== undefined && wanted !== undefined && wanted.size < planned.length;
  // So an evaluation is given of which nobody knows any more what both lack.
  const unknownPlan = planned?.length === 0 && candidate.length + champion.length > 0;
  const reason = repeatedPlan
    ? "the plan names an episode twice"
    : unknownPlan
      ? "some of the planned episodes are there for neither model"
      : faultOf(facts);
  return { pairs, data: { id: "data", verdict: reason === null ? "pass" : "invalid", reason, ...facts } };
}

function faultOf(facts: Omit<Data, "id" | "verdict" | "reason">): string | null {
  const { missing, unplanned, repeated, unequal_seeds, pairs } = facts;
  if (sum(missing) > 0) return `${sum(missing)} episodes are missing, so the models did not do the same`;
  if (sum(repeated) > 0) return `${sum(repeated)} episodes are there twice`;
  if (sum(unplanned) > 0) return `${sum(unplanned)} episodes were not planned`;
  if (unequal_seeds > 0) return `${unequal_seeds} pairs of episodes have unequal seeds`;
  return pairs === 0 ? "there is no episode" : null;
}

function sum({ candidate, champion }: Data["missing"]): number {
  return (candidate ?? 0) + (champion ?? 0);
}

function byKey(episodes: readonly EvaluationEpisode[]): {
  readonly first: ReadonlyMap<string, EvaluationEpisode>;
  readonly repeated: number;
} {
  const first = new Map<string, EvaluationEpisode>();
  for (const episode of episodes) {
    const key = keyOf(episode);
    if (!first.has(key)) first.set(key, episode);
  }
  return { first, repeated: episodes.length - first.size };
}

function keyOf({ task, attempt }: Pick<EvaluationEpisode, "task" | "attempt">): string {
  return JSON.stringify([task, attempt]);
}
