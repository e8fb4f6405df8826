import type { EvaluationEpisode } from "../contracts/evaluation-episode.ts";
import type { Condition, Decision } from "../contracts/model.ts";
import type { PromotionPolicy } from "../contracts/promotion-policy.ts";
import { firstCondition, guardCondition, metricCondition } from "./metric-conditions.ts";
import { type EpisodePair, type PlannedEpisode, pairEpisodes } from "./pair-episodes.ts";

export interface Contest {
  readonly model: string;
  readonly candidate: { readonly version: string; readonly episodes: readonly EvaluationEpisode[] };
  /** null: the model has no champion yet. */
  readonly champion: { readonly version: string; readonly episodes: readonly EvaluationEpisode[] } | null;
  /** What both were to run; without it, an episode that both lack is not missed. */
  readonly planned?: readonly PlannedEpisode[] | undefined;
  readonly policy: PromotionPolicy;
  /** From 1: the candidate's number among those that met this champion. */
  readonly challenge: number;
  /** Where the episodes came from. */
  readonly evaluation?: string | undefined;
}

/**
 * Decides whether a candidate takes the champion's place. All conditions of the policy must hold, each by a test of its
 * own; for that no correction is needed (Berger 1982, intersection-union test). What is missing, or no number, makes the
 * evaluation invalid and never lets a candidate pass. A candidate that does better in an episode is never worse off.
 */
export function decide(contest: Contest): Decision {
  const { model, candidate, champion, policy, challenge } = contest;
  const alpha = alphaOf(policy, challenge);
  const { pairs, data } = pairEpisodes({
    candidate: candidate.episodes,
    // Without a champion the candidate stands beside itself, and only its side is looked at.
    champion: (champion ?? candidate).episodes,
    planned: contest.planned,
  });
  const compared =
    data.verdict === "pass" ? [metricOf(pairs, { contest, alpha }), ...guards(pairs, contest)] : [];
  const conditions: readonly Condition[] = [
    champion === null ? alone(data) : data,
    failedCondition(pairs, contest),
    sizeCondition(pairs, policy),
    ...compared,
  ];
  const failing = conditions.filter(({ verdict }) => verdict !== "pass");
  return {
    schema: "gymline.decision.v1",
    model,
    candidate: candidate.version,
    champion: champion?.version ?? null,
    verdict: failing.some(({ verdict }) => verdict === "invalid")
      ? "invalid"
      : failing.length > 0
        ? "reject"
        : "promote",
    reasons: failing.map(({ id, reason }) => reason ?? id),
    alpha: { policy: policy.alpha, used: alpha, challenge },
    conditions: [...conditions],
    policy,
    evaluation: contest.evaluation ?? null,
  };
}

/** α of one candidate, after the policy's correction for several. */
function alphaOf({ alpha, correction }: PromotionPolicy, challenge: number): number {
  switch (correction.kind) {
    case "none":
      return alpha;
    case "bonferroni":
      return alpha / correction.comparisons;
    case "spending":
      return (alpha * 6) / (Math.PI * Math.max(1, challenge)) ** 2;
  }
}

function metricOf(
  pairs: readonly EpisodePair[],
  { contest, alpha }: { readonly contest: Contest; readonly alpha: number },
): Condition {
  const { policy, champion } = contest;
  if (champion !== null) return metricCondition(pairs, { policy, alpha });
  if (policy.first !== undefined) return firstCondition(pairs, { policy, alpha, least: policy.first.least });
  return {
    id: "metric",
    verdict: "fail",
    reason:
      "the model has no champion to compare with and the policy says nothing of the first one: set `first`, or promote one by hand",
    metric: policy.metric,
    mean: { candidate: null, champion: null },
    difference: null,
    margin: 0,
    kind: "least",
    test: { p: null, n: 0, why: "no_champion", alpha },
  };
}

/** A guard compares with the champion: without one there is nothing that could have grown. */
function guards(pairs: readonly EpisodePair[], { policy, champion }: Contest): readonly Condition[] {
  if (champion === null) return [];
  return policy.guards.map((guard) => guardCondition(pairs, { guard, policy }));
}

function alone(data: Extract<Condition, { readonly id: "data" }>): Condition {
  const mine = <T>(both: { readonly candidate: T }): { readonly candidate: T; readonly champion: null } => ({
    candidate: both.candidate,
    champion: null,
  });
  return {
    ...data,
    missing: mine(data.missing),
    unplanned: mine(data.unplanned),
    repeated: mine(data.repeated),
  };
}

function failedCondition(pairs: readonly EpisodePair[], { policy, champion }: Contest): Condition {
  const share = (side: "candidate" | "champion"): number | null =>
    pairs.length === 0 ? null : pairs.filter((pair) => pair[side].status !== "done").length / pairs.length;
  const shares = { candidate: share("candidate"), champion: champion === null ? null : share("champion") };
  const most = policy.maxFailed;
  const highest = Math.max(shares.candidate ?? 1, shares.champion ?? 0);
  const passes = highest <= most;
  return {
    id: "failed",
    verdict: passes ? "pass" : "invalid",
    reason: passes
      ? null
      : `${(highest * 100).toFixed(1)} % of a model's episodes failed; ${most * 100} % may`,
    share: shares,
    most,
  };
}

function sizeCondition(pairs: readonly EpisodePair[], policy: PromotionPolicy): Condition {
  const whole = pairs.filter(
    ({ candidate, champion }) => candidate.status === "done" && champion.status === "done",
  );
  const tasks = new Set(whole.map(({ task }) => task)).size;
  const { minimumTasks, minimumEpisodes } = policy;
  const few = [
    tasks < minimumTasks ? `${tasks} tasks are fewer than ${minimumTasks}` : "",
    whole.length < minimumEpisodes
      ? `${whole.length} pairs of episodes are fewer than ${minimumEpisodes}`
      : "",
  ].filter((text) => text !== "");
  return {
    id: "size",
    verdict: few.length === 0 ? "pass" : "invalid",
    reason: few.length === 0 ? null : few.join(", "),
    tasks,
    episodes: whole.length,
    least_tasks: minimumTasks,
    least_episodes: minimumEpisodes,
  };
}
