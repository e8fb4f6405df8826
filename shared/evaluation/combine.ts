import canonicalize from "canonicalize";
import { episodeSeed } from "../collect/plan-episodes.ts";
import type { Evaluation } from "../contracts/evaluation.ts";
import type { AgentEpisodes, PlannedEpisode } from "./agent-episodes.ts";
import { EvaluationError } from "./evaluation-error.ts";
import { type EvaluationParts, evaluationOf } from "./evaluation-of.ts";
import type { ComparisonSettings } from "./settings.ts";

/**
 * One evaluation of the agents of several, which must be of the same environment, tasks, attempts and seed. An agent
 * that is in more than one of them with the same episodes is there once; others of one name are told apart by their
 * evaluation. `settings` go before those of the first one.
 * @throws EvaluationError where what they evaluated differs
 */
export function combineEvaluations(
  evaluations: readonly EvaluationParts[],
  settings: ComparisonSettings = {},
): EvaluationParts {
  const [first, ...others] = evaluations.map(({ document }) => document);
  if (first === undefined) throw new EvaluationError("There is no evaluation; give one or more");
  for (const other of others) requireSame(first, other);
  const { env, attempts, seed, tasks } = first;
  const planned = first.by_task.flatMap(({ task }): readonly PlannedEpisode[] =>
    Array.from({ length: attempts }, (_, attempt) => ({
      ...{ task, attempt },
      seed: episodeSeed({ seed, taskId: task, attempt }),
    })),
  );
  const subject = { env, attempts, seed, planned, tasksHash: tasks.sha256 };
  return evaluationOf(subject, {
    agents: agentsOf(evaluations),
    settings: { ...settingsOf(first), ...settings },
  });
}

const SAME = ["env", "tasks", "attempts", "seed"] as const;

const NAMES: Readonly<Record<(typeof SAME)[number], string>> = {
  env: "environments",
  tasks: "tasks",
  attempts: "numbers of attempts",
  seed: "seeds",
};

function requireSame(first: Evaluation, other: Evaluation): void {
  const text = (value: unknown): string => String(canonicalize(value));
  const differing = SAME.find((field) => text(first[field]) !== text(other[field]));
  if (differing === undefined) return;
  throw new EvaluationError(
    `The evaluations ${shortId(first)} and ${shortId(other)} have different ${NAMES[differing]} (${text(first[differing])} and ${text(other[differing])}), so their agents cannot be compared; evaluate all of them by one gymline evaluate`,
  );
}

function agentsOf(evaluations: readonly EvaluationParts[]): readonly AgentEpisodes[] {
  const found = evaluations.flatMap(({ document, lines }) =>
    document.agents.map((agent) => ({ agent: recordOf(agent.name, { document, lines }), document })),
  );
  const distinct = found.filter(
    ({ agent }, index) =>
      found.findIndex((other) => canonicalize(other.agent) === canonicalize(agent)) === index,
  );
  return distinct.map(({ agent, document }) => {
    const namesakes = distinct.filter((other) => other.agent.name === agent.name);
    return namesakes.length === 1 ? agent : { ...agent, name: `${agent.name}@${shortId(document)}` };
  });
}

function recordOf(name: string, { document, lines }: EvaluationParts): AgentEpisodes {
  const agent = document.agents.find((each) => each.name === name);
  const uncounted = document.problems.some(
    ({ code, agents }) => code === "violations_not_counted" && agents.includes(name),
  );
  return {
    name,
    model: agent?.model ?? null,
    configuration: agent?.configuration ?? {},
    episodes: lines.flatMap(({ agent: whose, ...episode }) => (whose === name ? [episode] : [])),
    violationsCounted: !uncounted,
  };
}

function settingsOf({ settings }: Evaluation): ComparisonSettings {
  const { metric, level, correction, test, seed, resamples, max_failed_share: maxFailedShare } = settings;
  return { metric, level, correction, test, seed, resamples, maxFailedShare };
}

function shortId({ id }: Evaluation): string {
  return id.slice(0, 8);
}
