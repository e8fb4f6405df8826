import { z } from "zod";
import { loopPolicySchema } from "./loop.ts";
import { localModelSchema, rolloutPlanSchema } from "./rollout-plan.ts";
import { trainingPlanSchema } from "./training-plan.ts";

const { env, attempts, seed, shards, concurrency, limits, backend, prices } = rolloutPlanSchema.shape;

/** Rollouts in which a model of the loop acts, as jobs of a deployment. */
const loopRolloutsSchema = z.strictObject({
  env: z.strictObject({ ...env.shape, options: env.shape.options.default({}) }),
  /** JSON Lines, relative to the deployment's file; they go along with it. */
  tasks: z.string().min(1),
  attempts: attempts.default(1),
  shards: shards.default(1),
  /** Of each job; absent: as many as it has room for. */
  concurrency,
  limits: limits.prefault({}),
  backend: backend.default("docker"),
  /** How the model writes. */
  agent: localModelSchema.prefault({}),
  /** US dollars by the start of `<name>/<version>`; a model without one costs nothing. */
  prices,
});
export type LoopRollouts = Readonly<z.infer<typeof loopRolloutsSchema>>;

/** What the loop gives a training itself. */
const OWN_OPTIONS = ["data", "model", "export", "out", "checkpoints", "resume"] as const;

const loopTrainingSchema = z.strictObject({
  algorithm: z.enum(["sft", "dpo", "grpo"]).default("sft"),
  /** Of the algorithm's script. */
  options: trainingPlanSchema.shape.options
    .refine((options) => OWN_OPTIONS.every((name) => !(name in options)), {
      message: `the loop gives ${OWN_OPTIONS.join(", ")} itself`,
    })
    .default({}),
  /** A model of the hub, or `models/<name>/<version>` of the store. */
  base: z
    .string()
    .regex(
      /^(?:models(?:\/[A-Za-z0-9][\w.-]{0,63}){2,8}|(?!models\/)[\w-][\w.-]*(?:\/[\w.-]+)?)$/,
      "give a model of the hub, or models/<name>/<version> of the store",
    ),
  /** `champion`: training goes on from the champion, and from `base` where there is none. `base`: always from that. */
  from: z.enum(["champion", "base"]).default("champion"),
});

/** The loop of one model in a deployment: its policy, and what its jobs do (docs/LOOP.md). */
export const deployedLoopSchema = z.strictObject({
  ...loopPolicySchema.shape,
  train: loopTrainingSchema,
  /** Candidate and champion, each on all of it, with the same seeds. */
  evaluate: z.strictObject({ ...loopRolloutsSchema.shape, seed: seed.default(0) }),
  /** A new champion's rollouts, whose logs go into the drop. Absent: none. */
  collect: z
    .strictObject({
      ...loopRolloutsSchema.shape,
      /** Top folder of the logs. */
      project: z
        .string()
        .regex(/^[\w.-]+$/)
        .default("default"),
    })
    .exactOptional(),
});
export type DeployedLoop = Readonly<z.infer<typeof deployedLoopSchema>>;

/** A loop with the text of the tasks that it names. */
export const placedLoopSchema = z.strictObject({
  loop: deployedLoopSchema,
  tasks: z.strictObject({ evaluate: z.string(), collect: z.string().nullable() }),
});
export type PlacedLoop = Readonly<z.infer<typeof placedLoopSchema>>;
