import { z } from "zod";
import { estimateSchema } from "../statistics/result-schema.ts";
import { promotionPolicySchema } from "./promotion-policy.ts";

/** Of models and of their versions: they stand in keys of the store. */
export const registeredNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    "1 to 64 letters, digits, `.`, `_` and `-`, a letter or digit first",
  );

/** Names a version of a model. */
export const modelVersionSchema = z.strictObject({
  name: registeredNameSchema,
  version: registeredNameSchema,
});
export type ModelVersion = Readonly<z.infer<typeof modelVersionSchema>>;

/** What a version was made of; null where that is not known, or does not apply. */
const lineageSchema = z.strictObject({
  dataset: z
    .strictObject({ name: z.string(), version: z.string(), manifest_sha256: z.string() })
    .nullable()
    .default(null),
  /** Name or folder of the model that training started from. */
  base: z.string().nullable().default(null),
  /** Version of the same model that it started from. */
  parent: z.string().nullable().default(null),
  /** Id of the training, and of the job that did it. */
  training: z.string().nullable().default(null),
  job: z.string().nullable().default(null),
  algorithm: z.string().nullable().default(null),
  /** Commit of the trainer. */
  trainer_commit: z.string().nullable().default(null),
});

/** What is known of a version once and for all: `models/<name>/<version>/model.json`. */
export const modelFactsSchema = z.strictObject({
  schema: z.literal("gymline.model.v1"),
  name: registeredNameSchema,
  version: registeredNameSchema,
  /** Where its files are: a prefix of keys of the store, a folder, or an address (s3://, hf://). */
  files: z.string().min(1),
  lineage: lineageSchema.prefault({}),
  /** Of its training. */
  metrics: z.record(z.string(), z.number()).default({}),
  /** ISO 8601. */
  registered_at: z.string(),
});
export type ModelFacts = Readonly<z.infer<typeof modelFactsSchema>>;

export const modelStateSchema = z.enum(["candidate", "champion", "rejected", "archived"]);
export type ModelState = z.infer<typeof modelStateSchema>;

/** One change of state of a version. */
const modelChangeSchema = z.strictObject({
  version: registeredNameSchema,
  from: modelStateSchema.nullable(),
  to: modelStateSchema,
  /** ISO 8601. */
  at: z.string(),
  /** Who or what did it: `gate`, or a person's word. */
  by: z.string(),
  reason: z.string(),
  /** Key of the decision with its numbers; null where there was none. */
  decision: z.string().nullable(),
});
export type ModelChange = Readonly<z.infer<typeof modelChangeSchema>>;

const versionStateSchema = z.strictObject({ state: modelStateSchema, since: z.string() });

/** A version that was rejected or archived long ago: a record of its own, for one record of all would grow too large. */
export const pastVersionSchema = z.strictObject({
  schema: z.literal("gymline.model-past.v1"),
  version: registeredNameSchema,
  ...versionStateSchema.shape,
});
export type PastVersion = Readonly<z.infer<typeof pastVersionSchema>>;

/**
 * The states of a model's versions, but for those of long ago (`PastVersion`), in one record of the ledger: whoever changes it names the version of the
 * record that he saw, so there is never more than one champion.
 */
export const modelLineSchema = z.strictObject({
  schema: z.literal("gymline.model-line.v1"),
  name: registeredNameSchema,
  champion: registeredNameSchema.nullable(),
  /** Champions before, the last one last: where a rollback goes. */
  before: z.array(registeredNameSchema),
  /** Candidates that were decided on since the champion became it. */
  challenges: z.int().nonnegative(),
  versions: z.record(registeredNameSchema, versionStateSchema),
  /** The latest changes, the oldest first; the file of each version keeps its own. */
  changes: z.array(modelChangeSchema),
});
export type ModelLine = Readonly<z.infer<typeof modelLineSchema>>;

const verdictSchema = z.enum(["pass", "fail", "invalid"]);

const testSchema = z.union([
  z.strictObject({
    p: z.number(),
    n: z.int(),
    method: z.enum(["exact", "monte_carlo", "betting", "zero"]),
    alpha: z.number(),
  }),
  z.strictObject({ p: z.null(), n: z.int(), why: z.string(), alpha: z.number() }),
]);
export type DecisionTest = Readonly<z.infer<typeof testSchema>>;

const side = z.strictObject({ candidate: z.number().nullable(), champion: z.number().nullable() });

/** One condition of a promotion, with the numbers that its verdict rests on. */
const conditionSchema = z.discriminatedUnion("id", [
  /** Every planned episode is there once, for both, with the same seed. */
  z.strictObject({
    id: z.literal("data"),
    verdict: verdictSchema,
    reason: z.string().nullable(),
    planned: z.int().nullable(),
    pairs: z.int(),
    missing: side,
    unplanned: side,
    repeated: side,
    unequal_seeds: z.int(),
  }),
  /** Share of episodes that could not be run to their end. */
  z.strictObject({
    id: z.literal("failed"),
    verdict: verdictSchema,
    reason: z.string().nullable(),
    share: side,
    most: z.number(),
  }),
  z.strictObject({
    id: z.literal("size"),
    verdict: verdictSchema,
    reason: z.string().nullable(),
    /** Of which both models ended at least one pair, and pairs that both ended. */
    tasks: z.int(),
    episodes: z.int(),
    least_tasks: z.int(),
    least_episodes: z.int(),
  }),
  z.strictObject({
    id: z.enum(["metric", "guard"]),
    verdict: verdictSchema,
    reason: z.string().nullable(),
    metric: z.string(),
    /** Means over tasks of the means over attempts. */
    mean: side,
    /** Candidate minus champion, with Student's interval over tasks; null where there is nothing to compare. */
    difference: estimateSchema.nullable(),
    /** Absolute, or relative to the champion's mean. */
    margin: z.number(),
    kind: z.enum(["superiority", "non-inferiority", "least"]),
    test: testSchema,
  }),
]);
export type Condition = Readonly<z.infer<typeof conditionSchema>>;

/** Whether a candidate takes the champion's place, and every number that this rests on. */
export const decisionSchema = z.strictObject({
  schema: z.literal("gymline.decision.v1"),
  model: z.string(),
  candidate: z.string(),
  champion: z.string().nullable(),
  /** `invalid`: the evaluation says nothing, for want of data. Only `promote` promotes. */
  verdict: z.enum(["promote", "reject", "invalid"]),
  /** Of all conditions that did not hold. */
  reasons: z.array(z.string()),
  /** Of the metric's test, after correction; the candidate's number among those that met this champion. */
  alpha: z.strictObject({ policy: z.number(), used: z.number(), challenge: z.int().positive() }),
  conditions: z.array(conditionSchema),
  policy: promotionPolicySchema,
  /** Where the episodes came from: an evaluation, or files. */
  evaluation: z.string().nullable(),
});
export type Decision = Readonly<z.infer<typeof decisionSchema>>;
