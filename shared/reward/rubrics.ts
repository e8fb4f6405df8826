import type { DomainProfile } from "../domains/profile.ts";
import type { RubricId } from "./rubric-ids.ts";

/** Who scores a rubric: the rules, a model as judge, people, or the learned critic. */
export type Evaluator = "rule" | "model" | "human" | "critic";

/** One thing a step is judged by. */
export interface Rubric {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Share in the layer of its evaluator; weights of a layer need not sum to 1, every mean is normalised. */
  readonly weight: number;
  readonly evaluator: Evaluator;
}

/** All rubrics that scoring knows, and which of them each domain is scored by. */
export interface RubricBook {
  readonly rubrics: ReadonlyMap<string, Omit<Rubric, "weight">>;
  /** Rubric ids with their weights, by domain; `default` serves the domains without a set of their own. */
  readonly sets: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

const catalogue: Readonly<Record<RubricId, readonly [name: string, description: string]>> = {
  goal_progress: ["Goal progress", "The step brings the task measurably closer to being done."],
  tool_choice: ["Tool choice", "The tool used is the right one for what the step is after."],
  param_correctness: [
    "Argument correctness",
    "The arguments are complete, valid and aimed at the right thing.",
  ],
  info_utilization: ["Use of information", "The step builds on what earlier steps found out."],
  non_redundancy: ["No repetition", "The step neither repeats nor undoes what was done before."],
  relevance: ["Relevance", "The reply answers what was asked."],
  completeness: ["Completeness", "Every part of the request is dealt with."],
  clarity: ["Clarity", "The reply is easy to follow and leaves no doubt about its meaning."],
  actionability: ["Actionability", "The reader knows what to do next, concretely."],
  tone_fit: ["Tone", "Tone and register suit the role and the situation."],
  technical_accuracy: ["Technical accuracy", "Statements about the system are correct and checked."],
  tool_usage: ["Tool usage", "Tools are used efficiently and for what they are good at."],
  thoroughness: ["Thoroughness", "Nothing that matters to the question was left unexamined."],
  analysis_depth: ["Depth of analysis", "The analysis reaches causes rather than symptoms."],
  recommendation_quality: ["Quality of advice", "The advice says who should do what, and by when."],
  evidence_based: ["Evidence", "Claims rest on evidence that was actually gathered."],
  risk_awareness: ["Risk awareness", "Risks and side effects are named and weighed."],
  stakeholder_consideration: ["Stakeholders", "The interests of the people affected are weighed."],
  substantive_contribution: ["Substance", "The contribution adds something new to the discussion."],
  engagement_quality: ["Engagement", "The contribution takes up what the others said."],
  professional_depth: ["Professional depth", "The contribution shows expert knowledge of the subject."],
  constructive_challenge: ["Constructive challenge", "Disagreement is voiced usefully and with reasons."],
  value_gain: ["Value gain", "The step raises the chance of success, as the learned critic sees it."],
  human_quality: ["Quality, said by people", "The run is good work in the eyes of those who read it."],
};

const evaluators: Readonly<Partial<Record<RubricId, Evaluator>>> = {
  info_utilization: "rule",
  non_redundancy: "rule",
  value_gain: "critic",
  human_quality: "human",
};

const DEFAULT_SET = "default";

const sets: Readonly<Record<string, Readonly<Partial<Record<RubricId, number>>>>> = {
  [DEFAULT_SET]: {
    goal_progress: 0.3,
    tool_choice: 0.2,
    param_correctness: 0.2,
    info_utilization: 0.15,
    non_redundancy: 0.15,
  },
  conversation: {
    relevance: 0.25,
    completeness: 0.2,
    clarity: 0.2,
    actionability: 0.15,
    tone_fit: 0.1,
    non_redundancy: 0.1,
  },
  engineering: {
    technical_accuracy: 0.3,
    tool_usage: 0.2,
    thoroughness: 0.2,
    info_utilization: 0.15,
    non_redundancy: 0.15,
  },
  advisory: {
    analysis_depth: 0.25,
    recommendation_quality: 0.25,
    evidence_based: 0.2,
    risk_awareness: 0.15,
    stakeholder_consideration: 0.15,
  },
  discussion: {
    substantive_contribution: 0.25,
    engagement_quality: 0.25,
    professional_depth: 0.2,
    constructive_challenge: 0.15,
    actionability: 0.15,
  },
};

/** The rubrics and sets that are built in; the weights of each set sum to 1. */
export const builtinRubrics: RubricBook = {
  rubrics: new Map(
    (Object.entries(catalogue) as [RubricId, readonly [string, string]][]).map(
      ([id, [name, description]]) => [id, { id, name, description, evaluator: evaluators[id] ?? "model" }],
    ),
  ),
  sets: new Map(Object.entries(sets).map(([domain, weights]) => [domain, new Map(Object.entries(weights))])),
};

/** The rubric set of a domain. Domains without a set of their own share the default one. */
export function rubricSetForDomain(domain: string, book: RubricBook = builtinRubrics): readonly Rubric[] {
  const set = book.sets.get(domain) ?? book.sets.get(DEFAULT_SET) ?? new Map<string, number>();
  return weighted(set, book);
}

/**
 * The rubrics a profile is scored by: its domain's set with the profile's `rubricWeights` in place of the
 * set's weights. A weight of 0 removes a rubric; a rubric of another set is added.
 */
export function rubricsOf(profile: DomainProfile, book: RubricBook = builtinRubrics): readonly Rubric[] {
  const weights = new Map(book.sets.get(profile.domain) ?? book.sets.get(DEFAULT_SET));
  for (const [id, weight] of Object.entries(profile.rubricWeights)) weights.set(id, weight);
  return weighted(weights, book).filter((each) => each.weight > 0);
}

function weighted(weights: ReadonlyMap<string, number>, book: RubricBook): readonly Rubric[] {
  const rubrics: Rubric[] = [];
  for (const [id, weight] of weights) {
    const rubric = book.rubrics.get(id);
    if (rubric !== undefined) rubrics.push({ ...rubric, weight });
  }
  return rubrics;
}
