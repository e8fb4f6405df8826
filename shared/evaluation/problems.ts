import type { Evaluation, EvaluationMetric, EvaluationProblem } from "../contracts/evaluation.ts";
import { LEAST_CLUSTERS } from "../leaderboard/run-clusters.ts";
import { type AgentEpisodes, attemptKey, type PlannedEpisode } from "./agent-episodes.ts";
import { metricOf } from "./metrics.ts";
import type { Pairing } from "./pairs.ts";

/** Examples that a problem names. */
const NAMED = 5;

type Draft = Omit<EvaluationProblem, "agents" | "examples" | "count"> & { readonly all: readonly string[] };

function problem(agents: readonly string[], { all, ...rest }: Draft): EvaluationProblem {
  return { ...rest, agents: [...agents], count: all.length, examples: all.slice(0, NAMED) };
}

/** What is wrong with the episodes of one agent by themselves. */
export function agentProblems(
  agent: AgentEpisodes,
  of: { readonly planned: readonly PlannedEpisode[]; readonly settings: Evaluation["settings"] },
): readonly EvaluationProblem[] {
  const { planned, settings } = of;
  const { name, episodes } = agent;
  const found: EvaluationProblem[] = [];
  const tell = (draft: Draft): void => {
    if (draft.all.length > 0) found.push(problem([name], draft));
  };
  const plan = new Map(planned.map((each) => [JSON.stringify([each.task, each.attempt]), each]));
  const have = new Map(episodes.map((each) => [JSON.stringify([each.task, each.attempt]), each]));
  const missing = planned.filter((each) => !have.has(JSON.stringify([each.task, each.attempt])));
  const failed = episodes.filter(({ status }) => status === "failed");
  const done = episodes.filter(({ status }) => status === "done");
  tell({
    ...{ code: "missing_episodes", severity: "note", of: planned.length, all: missing.map(attemptKey) },
    message: "episodes were not run; run the evaluation again, it goes on with what is missing",
  });
  tell({
    ...{ code: "failed_episodes", severity: "note", of: planned.length, all: failed.map(attemptKey) },
    message:
      "episodes failed and say nothing of the agent; they are in no figure but costs. Run the evaluation again, it tries them anew",
  });
  const absent = [...missing, ...failed].map(attemptKey);
  if (absent.length > settings.max_failed_share * planned.length) {
    tell({
      ...{ code: "too_many_failed", severity: "invalid", of: planned.length, all: absent },
      message: `more than ${percent(settings.max_failed_share)} of the episodes failed or are missing; put right what makes them fail, and run the evaluation again`,
    });
  }
  tell({
    ...{ code: "unplanned_episodes", severity: "invalid", of: episodes.length },
    all: [...have].flatMap(([key, episode]) => (plan.has(key) ? [] : attemptKey(episode))),
    message: "episodes are of no task or attempt of the evaluation; take them out",
  });
  tell({
    ...{ code: "unequal_seeds", severity: "invalid", of: episodes.length },
    all: [...have].flatMap(([key, episode]) => {
      const wanted = plan.get(key);
      return wanted === undefined || wanted.seed === episode.seed ? [] : attemptKey(episode);
    }),
    message: "episodes have other seeds than the evaluation gives them; run them with its seed",
  });
  tell({
    ...{ code: "no_verdict", severity: settings.metric === "success" ? "invalid" : "note", of: done.length },
    all: done.filter(({ success }) => success === null).map(attemptKey),
    message: "nothing says whether the task was solved; give the task criteria or tests",
  });
  const unpriced = done.filter(({ cost_usd }) => cost_usd === null);
  if (unpriced.length < done.length || settings.metric === "cost_usd") {
    tell({
      ...{ code: "unknown_cost", severity: settings.metric === "cost_usd" ? "invalid" : "note" },
      ...{ of: done.length, all: unpriced.map(attemptKey) },
      message: "the cost is not known; give the model a price in the configuration (judge.prices)",
    });
  }
  if (agent.violationsCounted === false) {
    tell({
      ...{ code: "violations_not_counted", severity: "note", of: done.length, all: done.map(attemptKey) },
      message: "what ran the agent does not say which actions were refused; 0 violations means nothing here",
    });
  }
  return found;
}

/** What is wrong with comparing two agents. */
export function pairProblems(
  [a, b]: readonly [string, string],
  of: { readonly pairing: Pairing; readonly metric: EvaluationMetric },
): readonly EvaluationProblem[] {
  const { pairs, unequalSeeds, missingTasks } = of.pairing;
  const found: EvaluationProblem[] = [];
  const tasks = new Set(pairs.map(({ task }) => task));
  if (unequalSeeds.length > 0) {
    found.push(
      problem([a, b], {
        ...{ code: "unequal_seeds", severity: "invalid", of: unequalSeeds.length + pairs.length },
        all: unequalSeeds,
        message: "attempts have different seeds and are no pairs; run both agents with one seed",
      }),
    );
  }
  if (missingTasks.length > 0) {
    found.push(
      problem([a, b], {
        ...{ code: "missing_tasks", severity: "invalid", of: tasks.size + missingTasks.length },
        all: missingTasks,
        message: "one of the two has no episode of these tasks; run both agents on the same tasks",
      }),
    );
  }
  const measured = pairs.filter(
    (pair) => metricOf(pair.a, of.metric) !== null && metricOf(pair.b, of.metric) !== null,
  );
  if (measured.length === 0) {
    found.push({
      ...{ code: "no_pairs", severity: "invalid", agents: [a, b], count: 0, of: pairs.length, examples: [] },
      message: `there is no attempt that both have done with a ${of.metric}: nothing can be compared`,
    });
  } else if (tasks.size < LEAST_CLUSTERS) {
    found.push({
      ...{ code: "few_tasks", severity: "note", agents: [a, b], count: tasks.size, of: LEAST_CLUSTERS },
      examples: [],
      message: "so few tasks say nothing of how much tasks differ; differences have no interval. Add tasks",
    });
  }
  return found;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
