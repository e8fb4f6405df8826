/** Every rubric that is built in, in the order in which the domains introduce them. */
export const rubricIds = [
  "goal_progress",
  "tool_choice",
  "param_correctness",
  "info_utilization",
  "non_redundancy",
  "relevance",
  "completeness",
  "clarity",
  "actionability",
  "tone_fit",
  "technical_accuracy",
  "tool_usage",
  "thoroughness",
  "analysis_depth",
  "recommendation_quality",
  "evidence_based",
  "risk_awareness",
  "stakeholder_consideration",
  "substantive_contribution",
  "engagement_quality",
  "professional_depth",
  "constructive_challenge",
  "value_gain",
  "human_quality",
] as const;

export type RubricId = (typeof rubricIds)[number];
