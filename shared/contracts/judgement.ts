import { z } from "zod";

const score = z.number().min(0).max(1);

export const usageSchema = z.object({
  input: z.int().nonnegative(),
  cacheRead: z.int().nonnegative(),
  cacheWrite: z.int().nonnegative(),
  output: z.int().nonnegative(),
});

const judgedStepSchema = z.object({
  /** Number of the agent step, from 0. */
  index: z.int().nonnegative(),
  /** By rubric id; a rubric that the judge did not score is missing. With several samples, their mean. */
  scores: z.record(z.string(), score),
  rationale: z.string(),
  /** With several samples: the population standard deviation by rubric. */
  disagreement: z.record(z.string(), z.number().nonnegative()).optional(),
});

/**
 * What a model thought of one trajectory, step by step. Keyed by trajectory and `judge`, the hash of everything that
 * shapes the answer: provider, model, prompt version, rubrics, mode, sampling of steps, samples.
 */
export const judgementSchema = z.object({
  schema: z.literal("gymline.judgement.v1"),
  trajectory_id: z.string(),
  /** Of the document that was judged; a judgement of another revision does not count. */
  revision: z.string(),
  judge: z.string(),
  provider: z.string(),
  model: z.string(),
  prompt_version: z.string(),
  rubrics: z.array(z.object({ id: z.string(), weight: z.number() })),
  mode: z.enum(["windows", "steps"]),
  samples: z.int().positive(),
  steps: z.array(judgedStepSchema),
  coverage: z.object({
    /** Agent steps of the trajectory, and how many of them the judge was shown as steps to score. */
    steps: z.int().nonnegative(),
    asked: z.int().nonnegative(),
    scored: z.int().nonnegative(),
    /** `all`, or `even`: so many steps spread evenly, the first and the last among them. */
    choice: z.enum(["all", "even"]),
    windows: z.int().nonnegative(),
  }),
  /** Windows that gave no score, and why; their steps are not scored. */
  failures: z.array(z.object({ window: z.int().nonnegative(), reason: z.string() })),
  /** Windows in which the judge saw text that tries to influence it. */
  manipulation: z.array(z.int().nonnegative()).optional(),
  usage: usageSchema,
  requests: z.int().nonnegative(),
  /** Requests answered from the cache, which cost nothing. */
  cached: z.int().nonnegative(),
  /** What the answers cost; null where the price of the model is not known. */
  usd: z.number().nonnegative().nullable(),
  batch: z.boolean(),
  /** Hashes of the questions it rests on, which name cache entries: forgetting removes them too. */
  cache_keys: z.array(z.string()),
  created_at: z.string(),
});
export type Judgement = Readonly<z.infer<typeof judgementSchema>>;
