import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { z } from "zod";
import { modelPrefix, trainingPrefix } from "./keys.ts";

export const ALGORITHMS = ["sft", "dpo", "grpo", "prm"] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

const place = z.string().regex(/^s3:\/\/[^/]+\/.+[^/]$/, "must be s3://bucket/key");

/** All that a training job needs to know; `containers/trainer/gymline_trainer/plan.py` reads it. */
export const trainingPlanSchema = z.strictObject({
  schema: z.literal("gymline.training-plan.v1"),
  /** Follows from all else: the same run submitted twice is one run. */
  run: z.string().regex(/^[0-9a-f]{12}$/),
  algorithm: z.enum(ALGORITHMS),
  /** Of the algorithm's script, but for `out` and `checkpoints`; what is not there is as by default. */
  options: z.record(z.string(), z.json()),
  /** Text of a chat template that was a file. */
  template: z.string().optional(),
  output: place,
  checkpoints: place,
});
export type TrainingPlan = z.infer<typeof trainingPlanSchema>;

/** Names of models stand in keys. */
export const modelNameSchema = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/, "1 to 64 lower-case letters, digits, dots, - and _");

export interface TrainingRequest {
  readonly algorithm: Algorithm;
  readonly options: TrainingPlan["options"];
  readonly template?: string | undefined;
  /** Of the model that comes of it. */
  readonly name: string;
  readonly storeBucket: string;
}

/** The plan of a run, named by its content: SHA-256 over RFC 8785 canonical JSON of what it is to do. */
export function trainingPlan({
  algorithm,
  options,
  template,
  name,
  storeBucket,
}: TrainingRequest): TrainingPlan {
  const content = { algorithm, options, name, ...(template === undefined ? {} : { template }) };
  const run = createHash("sha256")
    .update(canonicalize(content) ?? "")
    .digest("hex")
    .slice(0, 12);
  return trainingPlanSchema.parse({
    schema: "gymline.training-plan.v1",
    run,
    algorithm,
    options,
    ...(template === undefined ? {} : { template }),
    output: `s3://${storeBucket}/${modelPrefix(name, run).slice(0, -1)}`,
    checkpoints: `s3://${storeBucket}/${trainingPrefix(run)}checkpoints`,
  });
}

/** The name of its job, which is the same whenever the run is submitted. */
export function trainingJobName({ algorithm, run }: Pick<TrainingPlan, "algorithm" | "run">): string {
  return `train-${algorithm}-${run}`;
}
