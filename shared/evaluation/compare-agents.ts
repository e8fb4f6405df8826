import type {
  AgentComparison,
  Correction,
  Evaluation,
  EvaluationMetric,
  EvaluationProblem,
} from "../contracts/evaluation.ts";
import { type AgentEpisodes, checkAgents } from "./agent-episodes.ts";
import { comparePair, type RawComparison } from "./compare-pair.ts";
import { corrected } from "./correct.ts";
import { EvaluationError } from "./evaluation-error.ts";
import { METRICS, moreIsBetter } from "./metrics.ts";
import { type EpisodePair, pairsOf } from "./pairs.ts";
import { pairProblems } from "./problems.ts";
import { type ComparisonSettings, completeSettings } from "./settings.ts";

export interface ComparedAgents {
  readonly comparisons: readonly AgentComparison[];
  readonly problems: readonly EvaluationProblem[];
}

/**
 * Compares each agent with each other, by every metric, on pairs of the same task, attempt and seed. P-values are
 * corrected over the pairs of agents, for each metric by itself.
 * @throws EvaluationError where there are fewer than two agents, two of one name, an attempt twice, or two agents have
 * no pair to compare
 */
export function compareAgents(
  agents: readonly AgentEpisodes[],
  settings: ComparisonSettings = {},
): ComparedAgents {
  if (agents.length < 2) {
    throw new EvaluationError("There is nothing to compare with; give two agents or more");
  }
  const compared = comparisonsOf(agents, completeSettings(settings));
  const impossible = compared.problems.find(({ code }) => code === "no_pairs");
  if (impossible !== undefined) {
    const [a = "", b = ""] = impossible.agents;
    throw new EvaluationError(
      `"${a}" and "${b}" cannot be compared: ${impossible.message}. Run both on the same tasks with the same seed`,
    );
  }
  return compared;
}

/** The same; agents without a pair are a problem, not an error. @throws EvaluationError */
export function comparisonsOf(
  agents: readonly AgentEpisodes[],
  settings: Evaluation["settings"],
): ComparedAgents {
  checkAgents(agents);
  const problems: EvaluationProblem[] = [];
  const couples = agents.flatMap((a, index) =>
    agents.slice(index + 1).map((b) => {
      const pairing = pairsOf(a, b);
      problems.push(...pairProblems([a.name, b.name], { pairing, metric: settings.metric }));
      return { a: a.name, b: b.name, pairs: pairing.pairs };
    }),
  );
  const comparisons = METRICS.flatMap((metric) => familyOf(metric, { couples, settings }));
  return { comparisons, problems: [...problems, ...lengthProblems(comparisons)] };
}

function familyOf(
  metric: EvaluationMetric,
  of: {
    readonly couples: readonly {
      readonly a: string;
      readonly b: string;
      readonly pairs: readonly EpisodePair[];
    }[];
    readonly settings: Evaluation["settings"];
  },
): readonly AgentComparison[] {
  const { couples, settings } = of;
  const raw = couples
    .map((couple) => comparePair({ ...couple, metric, settings }))
    // Where neither knows it (costs without prices), there is nothing to tell.
    .filter(({ pairs }) => pairs > 0);
  return judged(raw, { metric, level: settings.level, correction: settings.correction });
}

function judged(
  family: readonly RawComparison[],
  of: { readonly metric: EvaluationMetric; readonly level: number; readonly correction: Correction },
): readonly AgentComparison[] {
  const adjusted = corrected(
    family.map(({ test }) => test.p),
    of.correction,
  );
  return family.map((comparison, index) => {
    const p = adjusted[index] ?? null;
    const { value } = comparison.difference;
    const significant = p !== null && p <= 1 - of.level && value !== null && value !== 0;
    const firstIsBetter = (value ?? 0) > 0 === moreIsBetter(of.metric);
    const better = significant ? (firstIsBetter ? comparison.a : comparison.b) : null;
    return { ...comparison, adjusted: p, significant, better };
  });
}

/** Where rewards of steps add up, the longer episode has the greater return whatever it is worth. */
function lengthProblems(comparisons: readonly AgentComparison[]): readonly EvaluationProblem[] {
  return comparisons.flatMap((comparison): readonly EvaluationProblem[] => {
    const { metric, a, b, significant, difference, tasks } = comparison;
    if (metric !== "return" || !significant) return [];
    const perStep = comparisons.find(
      (other) => other.metric === "return_per_step" && other.a === a && other.b === b,
    );
    if ((perStep?.difference.value ?? 0) * (difference.value ?? 0) >= 0) return [];
    return [
      {
        ...{ code: "return_follows_length", severity: "note", agents: [a, b], count: tasks, of: tasks },
        examples: [],
        message:
          "the agent with the greater return has the smaller return per turn: its episodes are longer. Look at return_per_step and success",
      },
    ];
  });
}
