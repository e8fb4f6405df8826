import { z } from "zod";
import { estimateSchema } from "../statistics/result-schema.ts";
import { evaluationEpisodeSchema } from "./evaluation-episode.ts";

/** What episodes are measured by. `return_per_step` is the return over the turns, for tasks whose rewards add up. */
export const evaluationMetricSchema = z.enum([
  "success",
  "return",
  "return_per_step",
  "steps",
  "cost_usd",
  "seconds",
  "violations",
]);
export type EvaluationMetric = z.infer<typeof evaluationMetricSchema>;

/** How p-values of one family are corrected. */
export const correctionSchema = z.enum(["holm", "bonferroni", "benjamini_hochberg", "none"]);
export type Correction = z.infer<typeof correctionSchema>;

/** The paired test of metrics that are no verdicts, on the differences of the tasks' means. */
export const pairedTestSchema = z.enum(["sign_flip", "paired_t", "wilcoxon"]);
export type PairedTest = z.infer<typeof pairedTestSchema>;

const count = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** A line of the episodes of an evaluation: one episode and whose it is. */
export const evaluationLineSchema = z.strictObject({
  agent: z.string().min(1),
  ...evaluationEpisodeSchema.shape,
});
export type EvaluationLine = z.infer<typeof evaluationLineSchema>;

export const evaluatedAgentSchema = z.strictObject({
  name: z.string().min(1),
  /** A registered model that acts in it; null where none does. */
  model: z.strictObject({ name: z.string().min(1), version: z.string().min(1) }).nullable(),
  /** What shapes how it acts: provider, model, temperature, hashes of its files. */
  configuration: z.record(z.string(), z.json()),
});
export type EvaluatedAgent = Readonly<z.infer<typeof evaluatedAgentSchema>>;

export const evaluationProblemSchema = z.strictObject({
  code: z.enum([
    "missing_episodes",
    "missing_tasks",
    "unplanned_episodes",
    "failed_episodes",
    "too_many_failed",
    "unequal_seeds",
    "no_pairs",
    "few_tasks",
    "no_verdict",
    "unknown_cost",
    "violations_not_counted",
    "return_follows_length",
  ]),
  /** `invalid`: nothing may be concluded from the evaluation; `note`: to be known when reading it. */
  severity: z.enum(["invalid", "note"]),
  /** One agent, or the two of a comparison. */
  agents: z.array(z.string()),
  /** Of how many the problem is true: episodes, pairs or tasks. */
  count,
  of: count,
  /** The first few, as `<task>` or `<task>#<attempt>`. */
  examples: z.array(z.string()),
  /** What it is and what to do about it. */
  message: z.string(),
});
export type EvaluationProblem = Readonly<z.infer<typeof evaluationProblemSchema>>;

export const agentFiguresSchema = z.strictObject({
  agent: z.string(),
  episodes: z.strictObject({ planned: count, done: count, failed: count, missing: count }),
  /** Tasks with an episode that was done. */
  tasks: count,
  /** Means over tasks of the means over attempts; `n` counts tasks. Intervals draw tasks. */
  metrics: z.record(evaluationMetricSchema, estimateSchema),
  /** Chance that one of `k` attempts solves a task; `k` up to the number of verdicts that every task has. */
  pass_at_k: z.array(z.strictObject({ k: z.int().positive(), estimate: estimateSchema })),
  cost: z.strictObject({
    /** Of all episodes with a price, failed ones among them; null where no price is known. */
    total_usd: z.number().nullable(),
    /** Total over the successes; null where there is none. */
    per_success_usd: z.number().nullable(),
    priced_episodes: count,
  }),
  /** Wall time of done episodes; null where there is none. */
  seconds: z.strictObject({ p50: z.number(), p95: z.number(), total: z.number() }).nullable(),
  /** Done episodes by turns, in the same bins for all agents: returns of short and of long ones side by side. */
  return_by_length: z.array(
    z.strictObject({ from: count, to: count, episodes: count, return: z.number().nullable() }),
  ),
});
export type AgentFigures = Readonly<z.infer<typeof agentFiguresSchema>>;

const testSchema = z.strictObject({
  /** McNemar's where each task has one pair of verdicts, else that of the settings on the tasks' means. */
  name: z.enum(["mcnemar", "sign_flip", "paired_t", "wilcoxon_signed_rank"]),
  /** How the p-value was found: `exact`, `student_t`, `monte_carlo`… */
  method: z.string(),
  /** Two-sided; null with the reason where the test says nothing. */
  p: z.number().min(0).max(1).nullable(),
  why: z.string().nullable(),
  /** t, the sum of positive ranks, or the smaller count of pairs that one agent alone solved. */
  statistic: z.number().nullable(),
  /** Degrees of freedom of t. */
  df: z.number().nullable(),
});

/** First agent against the second, by one metric, on pairs of the same task, attempt and seed. */
export const agentComparisonSchema = z.strictObject({
  metric: evaluationMetricSchema,
  a: z.string(),
  b: z.string(),
  pairs: count,
  tasks: count,
  /** Means over tasks, of the pairs alone; null where there is no pair. */
  means: z.strictObject({ a: z.number(), b: z.number() }).nullable(),
  /** a − b: mean over tasks of the mean over pairs; `n` counts tasks, the interval draws tasks. */
  difference: estimateSchema,
  test: testSchema,
  /** p after correction over all pairs of agents for this metric. */
  adjusted: z.number().min(0).max(1).nullable(),
  significant: z.boolean(),
  /** Of the two, where the difference is significant. */
  better: z.string().nullable(),
  effect: z.strictObject({
    /**
     * `risk_difference` of verdicts; `rank_biserial` of Wilcoxon's test; else Cohen's `d_z`: the mean of the tasks'
     * differences over their standard deviation.
     */
    kind: z.enum(["risk_difference", "rank_biserial", "d_z"]),
    estimate: estimateSchema,
  }),
  /** Tasks on which the first agent's mean is better, worse, equal. */
  won: count,
  lost: count,
  tied: count,
});
export type AgentComparison = Readonly<z.infer<typeof agentComparisonSchema>>;

/** An evaluation: what was evaluated, how, and what came of it. Its id follows from all the rest. */
export const evaluationSchema = z.strictObject({
  schema: z.literal("gymline.evaluation.v1"),
  /** SHA-256 of the document without `id`. */
  id: sha256,
  env: z.strictObject({ id: z.string().min(1), options: z.record(z.string(), z.json()) }),
  tasks: z.strictObject({ sha256, count: z.int().positive() }),
  /** At each task. */
  attempts: z.int().positive(),
  /** Base of the seeds of all episodes. */
  seed: count,
  agents: z.array(evaluatedAgentSchema).min(1),
  settings: z.strictObject({
    /** What agents are ranked by. */
    metric: evaluationMetricSchema,
    /** Confidence level; differences are significant at 1 − level. */
    level: z.number().gt(0.5).lt(1),
    correction: correctionSchema,
    test: pairedTestSchema,
    resamples: z.int().min(100),
    /** Of resampling. */
    seed: z.int(),
    /** Above this share of episodes that failed or are missing, for any agent, the evaluation is invalid. */
    max_failed_share: z.number().min(0).max(1),
  }),
  /** False where a problem is `invalid`. */
  valid: z.boolean(),
  problems: z.array(evaluationProblemSchema),
  figures: z.array(agentFiguresSchema),
  comparisons: z.array(agentComparisonSchema),
  /** Best first. Agents that share a letter do not differ significantly (compact letter display). */
  leaderboard: z.array(
    z.strictObject({
      rank: z.int().positive().nullable(),
      agent: z.string(),
      letters: z.string(),
      value: estimateSchema,
    }),
  ),
  /** Every task with the means of the ranking's metric, in the order of the agents; null: no done episode that has it. */
  by_task: z.array(z.strictObject({ task: z.string(), means: z.array(z.number().nullable()) })),
  /** One line for each episode, beside the document. */
  episodes: z.strictObject({ count, sha256 }),
});
export type Evaluation = Readonly<z.infer<typeof evaluationSchema>>;
