import type { DomainProfile } from "../domains/profile.ts";
import { isRubricId, type RubricId } from "./rubric-ids.ts";

/** One thing a step is judged by. `evaluator` says who scores it: the rules or a model. */
export interface Rubric {
  readonly id: RubricId;
  readonly name: string;
  readonly description: string;
  readonly weight: number;
  readonly evaluator: "rule" | "model";
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
};

const ruleRubrics: ReadonlySet<string> = new Set<RubricId>(["info_utilization", "non_redundancy"]);

function rubric(id: RubricId, weight: number): Rubric {
  const [name, description] = catalogue[id];
  return { id, name, description, weight, evaluator: ruleRubrics.has(id) ? "rule" : "model" };
}

const defaultSet: readonly Rubric[] = [
  rubric("goal_progress", 0.3),
  rubric("tool_choice", 0.2),
  rubric("param_correctness", 0.2),
  rubric("info_utilization", 0.15),
  rubric("non_redundancy", 0.15),
];

const sets: ReadonlyMap<string, readonly Rubric[]> = new Map([
  [
    "conversation",
    [
      rubric("relevance", 0.25),
      rubric("completeness", 0.2),
      rubric("clarity", 0.2),
      rubric("actionability", 0.15),
      rubric("tone_fit", 0.1),
      rubric("non_redundancy", 0.1),
    ],
  ],
  [
    "engineering",
    [
      rubric("technical_accuracy", 0.3),
      rubric("tool_usage", 0.2),
      rubric("thoroughness", 0.2),
      rubric("info_utilization", 0.15),
      rubric("non_redundancy", 0.15),
    ],
  ],
  [
    "advisory",
    [
      rubric("analysis_depth", 0.25),
      rubric("recommendation_quality", 0.25),
      rubric("evidence_based", 0.2),
      rubric("risk_awareness", 0.15),
      rubric("stakeholder_consideration", 0.15),
    ],
  ],
  [
    "discussion",
    [
      rubric("substantive_contribution", 0.25),
      rubric("engagement_quality", 0.25),
      rubric("professional_depth", 0.2),
      rubric("constructive_challenge", 0.15),
      rubric("actionability", 0.15),
    ],
  ],
]);

/** The rubric set of a domain; weights sum to 1. Domains without a set of their own share the default one. */
export function rubricSetForDomain(domain: string): readonly Rubric[] {
  return sets.get(domain) ?? defaultSet;
}

/**
 * The rubrics a profile is scored by: its domain's set with the profile's `rubricWeights` in place of the
 * set's weights. A weight of 0 removes a rubric; a rubric of another set is added. The weights need not
 * sum to 1, every mean is normalised.
 */
export function rubricsOf(profile: DomainProfile): readonly Rubric[] {
  const weights = new Map(Object.entries(profile.rubricWeights));
  const own = rubricSetForDomain(profile.domain).map((each) => {
    const weight = weights.get(each.id) ?? each.weight;
    weights.delete(each.id);
    return weight === each.weight ? each : { ...each, weight };
  });
  const added: Rubric[] = [];
  for (const [id, weight] of weights) if (isRubricId(id)) added.push(rubric(id, weight));
  return [...own, ...added].filter((each) => each.weight > 0);
}
