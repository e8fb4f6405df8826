import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { AgentComparison, AgentFigures, Evaluation, EvaluationLine } from "../contracts/evaluation.ts";
import { type AgentEpisodes, checkAgents, type PlannedEpisode } from "./agent-episodes.ts";
import { agentFigures, lengthBins } from "./agent-figures.ts";
import { comparisonsOf } from "./compare-agents.ts";
import { EvaluationError } from "./evaluation-error.ts";
import { compactLetters } from "./letters.ts";
import { moreIsBetter } from "./metrics.ts";
import { agentProblems } from "./problems.ts";
import { type ComparisonSettings, completeSettings } from "./settings.ts";
import { meansByTask } from "./task-means.ts";

/** What was to be evaluated. */
export interface EvaluationSubject extends Pick<Evaluation, "env" | "attempts" | "seed"> {
  /** SHA-256 of the tasks, whose count follows from `planned`. */
  readonly tasksHash: string;
  readonly planned: readonly PlannedEpisode[];
}

export interface EvaluationParts {
  readonly document: Evaluation;
  /** In the order of agents, tasks and attempts. */
  readonly lines: readonly EvaluationLine[];
}

/**
 * The document of an evaluation and its episodes. The same episodes and settings give the same document, id included.
 * Agents that cannot be compared, seeds that differ, episodes that failed or are missing are problems in it.
 * @throws EvaluationError where nothing was planned, two agents have one name, or one attempt has two episodes
 */
export function evaluationOf(
  subject: EvaluationSubject,
  {
    agents,
    settings: given = {},
  }: {
    readonly agents: readonly AgentEpisodes[];
    readonly settings?: ComparisonSettings;
  },
): EvaluationParts {
  const { env, tasksHash, attempts, seed, planned } = subject;
  if (agents.length === 0 || planned.length === 0) {
    throw new EvaluationError("There is nothing to evaluate; give an agent, and one task or more");
  }
  checkAgents(agents);
  const settings = completeSettings(given);
  const compared = comparisonsOf(agents, settings);
  const problems = [
    ...agents.flatMap((agent) => agentProblems(agent, { planned, settings })),
    ...compared.problems,
  ];
  const bins = lengthBins(agents.flatMap(({ episodes }) => episodes));
  const figures = agents.map((agent) => agentFigures(agent, { planned: planned.length, settings, bins }));
  const lines = agents.flatMap(linesOf);
  const content: Omit<Evaluation, "id"> = {
    schema: "gymline.evaluation.v1",
    env,
    tasks: { sha256: tasksHash, count: new Set(planned.map(({ task }) => task)).size },
    ...{ attempts, seed },
    agents: agents.map(({ name, model, configuration }) => ({ name, model, configuration })),
    settings,
    valid: problems.every(({ severity }) => severity !== "invalid"),
    problems,
    figures,
    comparisons: [...compared.comparisons],
    leaderboard: leaderboardOf(figures, { comparisons: compared.comparisons, settings }),
    by_task: byTask(agents, { planned, metric: settings.metric }),
    episodes: { count: lines.length, sha256: sha256(linesText(lines)) },
  };
  return { document: { ...content, id: sha256(String(canonicalize(content))) }, lines };
}

/** The file of the episodes. */
export function linesText(lines: readonly EvaluationLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

function linesOf({ name, episodes }: AgentEpisodes): readonly EvaluationLine[] {
  const sorted = episodes.toSorted((a, b) =>
    a.task === b.task ? a.attempt - b.attempt : a.task < b.task ? -1 : 1,
  );
  return sorted.map((episode) => ({ agent: name, ...episode }));
}

/** Agents by the metric, best first; letters by the corrected comparisons. Those without the metric come last. */
export function leaderboardOf(
  figures: readonly AgentFigures[],
  {
    comparisons,
    settings,
  }: {
    readonly comparisons: readonly AgentComparison[];
    readonly settings: Pick<Evaluation["settings"], "metric">;
  },
): Evaluation["leaderboard"] {
  const { metric } = settings;
  const sign = moreIsBetter(metric) ? -1 : 1;
  const rows = figures.flatMap(({ agent, metrics }) => {
    const estimate = metrics[metric];
    return estimate === undefined ? [] : [{ agent, estimate }];
  });
  const ranked = rows
    .flatMap((row) => (row.estimate.value === null ? [] : [{ ...row, value: row.estimate.value }]))
    .sort((a, b) => sign * (a.value - b.value));
  const differ = new Set(
    comparisons.flatMap((each) =>
      each.metric === metric && each.significant
        ? [JSON.stringify([each.a, each.b]), JSON.stringify([each.b, each.a])]
        : [],
    ),
  );
  const letters = compactLetters(ranked.length, (first, second) =>
    differ.has(JSON.stringify([ranked[first]?.agent, ranked[second]?.agent])),
  );
  return [
    ...ranked.map(({ agent, estimate, value }, index) => ({
      rank: 1 + ranked.findIndex((other) => other.value === value),
      agent,
      letters: letters[index] ?? "",
      value: estimate,
    })),
    ...rows.flatMap(({ agent, estimate }) =>
      estimate.value === null ? [{ rank: null, agent, letters: "", value: estimate }] : [],
    ),
  ];
}

function byTask(
  agents: readonly AgentEpisodes[],
  {
    planned,
    metric,
  }: { readonly planned: readonly PlannedEpisode[]; readonly metric: Evaluation["settings"]["metric"] },
): Evaluation["by_task"] {
  const means = agents.map(({ episodes }) => meansByTask(episodes, metric));
  const ran = agents.flatMap(({ episodes }) => episodes.map(({ task }) => task));
  const tasks = new Set([...planned.map(({ task }) => task), ...ran]);
  return [...tasks].sort().map((task) => ({ task, means: means.map((of) => of.get(task) ?? null) }));
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
