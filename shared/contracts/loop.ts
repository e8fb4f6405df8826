import { z } from "zod";
import { registeredNameSchema } from "./model.ts";
import { promotionPolicySchema } from "./promotion-policy.ts";

const hours = z.number().positive();
const time = z.number().nonnegative();

/** When a published dataset version sets a training off. */
const retrainingPolicySchema = z.strictObject({
  /** Trajectories that the version last trained on did not have. */
  minimumNew: z.int().nonnegative().default(100),
  minimumRows: z.int().nonnegative().default(1),
  /** Of the version's mean reward; one without rewards then does not do. */
  minimumReward: z.number().min(0).max(1).optional(),
  /** Between the starts of two trainings. */
  coolDownHours: z.number().nonnegative().default(0),
  /** Of trainings, `hours` within `days`; one that is under way counts with its limit. */
  budget: z.strictObject({ hours, days: z.number().positive().default(30) }).optional(),
});

/** Jobs that may be submitted for the same work, each with its own retries on Batch. */
export const triesSchema = z.int().min(1).max(10).default(2);

/** How long jobs of a kind may take, and how often they are tried. */
const jobLimits = (defaults: { readonly hours: number }) =>
  z
    .strictObject({
      /** From its start. A job that takes longer is ended. */
      hours: hours.default(defaults.hours),
      /** That it may wait for a machine. */
      queueHours: hours.default(24),
      tries: triesSchema,
    })
    .prefault({});

/** The loop of one model: a dataset whose versions train it, how it is evaluated, and when it is promoted. */
export const loopPolicySchema = z.strictObject({
  model: registeredNameSchema,
  dataset: z.string().min(1),
  retrain: retrainingPolicySchema.prefault({}),
  training: jobLimits({ hours: 12 }),
  evaluation: jobLimits({ hours: 6 }),
  promotion: promotionPolicySchema.prefault({}),
});
export type LoopPolicy = Readonly<z.infer<typeof loopPolicySchema>>;

/** A job of a run. Its outcome is what Batch says of it, of an array what it says of the parent. */
const stepSchema = z.strictObject({
  /** null: not submitted, or submitted by whoever claimed it and not noted yet. */
  job: z.string().nullable(),
  /** When somebody last set out to submit it; null: nobody has. */
  claimed_at: time.nullable(),
  tries: z.int().nonnegative(),
  ended: z.enum(["succeeded", "failed"]).nullable(),
  /** Of its run, in hours. */
  hours: z.number().nonnegative().nullable(),
  reason: z.string().nullable(),
});
export type LoopStep = Readonly<z.infer<typeof stepSchema>>;

/** Jobs of a run by what they do. `collect`: the new champion acts, and its logs go into the drop. */
export const LOOP_STEPS = ["train", "candidate", "champion", "collect"] as const;
export type LoopStepName = (typeof LOOP_STEPS)[number];

const loopStateSchema = z.enum([
  "training",
  "evaluating",
  /** Promoted, and the champion's rollouts are under way. */
  "collecting",
  "promoted",
  "rejected",
  /** The evaluation said nothing; `redrive` evaluates anew. */
  "invalid",
  /** A job failed for good, ran out of time or was lost; `redrive` goes on where it stopped. */
  "failed",
]);

export const loopRunSchema = z.strictObject({
  schema: z.literal("gymline.loop-run.v1"),
  /** Follows from model and dataset version. */
  id: z.string(),
  model: registeredNameSchema,
  dataset: z.strictObject({
    name: z.string(),
    version: z.string(),
    /** Milliseconds since the epoch. */
    created_at: time,
    /** Trajectories that the version trained on before did not have. */
    fresh: z.int().nonnegative(),
  }),
  state: loopStateSchema,
  /** Of the model that comes of it; known once it is trained. */
  version: z.string().nullable(),
  /** Champion when the run began, which training may start from. */
  parent: z.string().nullable(),
  /** That the candidate is compared with. */
  champion: z.string().nullable(),
  steps: z.partialRecord(z.enum(LOOP_STEPS), stepSchema),
  /** Why it failed, was rejected or is invalid. */
  reason: z.string().nullable(),
  /** Of the evaluation. */
  evaluation: z.string().nullable(),
  redrives: z.int().nonnegative(),
  started_at: time,
  changed_at: time,
});
export type LoopRun = Readonly<z.infer<typeof loopRunSchema>>;

const datasetSeenSchema = z.strictObject({ name: z.string(), version: z.string(), created_at: time });
export type DatasetSeen = Readonly<z.infer<typeof datasetSeenSchema>>;

/** What counts of a dataset version when it is asked to train a model. */
const datasetFactsSchema = z.strictObject({
  rows: z.int().nonnegative(),
  /** null where its rows have no rewards. */
  reward: z.number().nullable(),
  /** Trajectories that the version trained on before did not have. */
  fresh: z.int().nonnegative(),
});
export type DatasetFacts = Readonly<z.infer<typeof datasetFactsSchema>>;

/**
 * All that is so of one model's loop, in one record of the ledger: there is one run at a time because there is room for
 * one. Each step is a change of the record by whoever saw its last version.
 */
export const loopRecordSchema = z.strictObject({
  schema: z.literal("gymline.loop.v1"),
  model: registeredNameSchema,
  active: loopRunSchema.nullable(),
  /** The newest dataset version whose turn has not come: a run is under way, it is too soon, or the budget is spent. */
  waiting: z
    .strictObject({
      ...datasetSeenSchema.shape,
      /** Once it was looked at: reading all that it was made of takes long. */
      facts: datasetFactsSchema.exactOptional(),
    })
    .nullable(),
  /** The newest dataset version that a run was made of. */
  trained: datasetSeenSchema.nullable(),
  /** What was last passed over, and why. */
  skipped: z.strictObject({ ...datasetSeenSchema.shape, reason: z.string(), at: time }).nullable(),
  last_start: time.nullable(),
  /** Hours of trainings, for the budget. */
  spent: z.array(z.strictObject({ at: time, hours: z.number().nonnegative() })),
  /** Events that are to be published: they may come more than once, but none is lost. */
  outbox: z.array(z.strictObject({ type: z.string(), detail: z.record(z.string(), z.json()) })),
});
export type LoopRecord = Readonly<z.infer<typeof loopRecordSchema>>;
