import { z } from "zod";
import { datasetRequestSchema } from "./dataset-request.ts";
import { deployedLoopSchema } from "./deployed-loop.ts";

/** A dataset that the deployment makes by itself. `name` must be its own among the datasets. */
export const deployedDatasetSchema = z.strictObject({
  request: datasetRequestSchema,
  /** Exports when so many trajectories (of its project, if it has one) were scored since the last export. */
  threshold: z.int().positive().optional(),
  /** EventBridge Scheduler expression, such as `rate(1 day)` or `cron(0 6 * * ? *)`. */
  schedule: z
    .string()
    .regex(/^(?:rate|cron|at)\(.+\)$/, "must be rate(…), cron(…) or at(…)")
    .optional(),
});
export type DeployedDataset = z.infer<typeof deployedDatasetSchema>;

/** Memory in MiB (1,769 is one full processor), time-out in seconds. */
const functionSchema = (defaults: {
  readonly memory: number;
  readonly timeout: number;
  readonly concurrency: number;
}) =>
  z
    .strictObject({
      memoryMiB: z.int().min(128).max(10_240).default(defaults.memory),
      timeoutSeconds: z.int().min(10).max(900).default(defaults.timeout),
      /** Most copies that the queue starts at a time (an event source's maximum concurrency, at least 2). */
      maxConcurrency: z.int().min(2).max(1000).default(defaults.concurrency),
      /** Reserves this much of the account's concurrency; small accounts have too little to reserve any. */
      reservedConcurrency: z.int().min(1).optional(),
    })
    .prefault({});

const cronOrRate = z.string().regex(/^(?:rate|cron)\(.+\)$/, "must be rate(…) or cron(…)");

const machinesSchema = { maxVcpus: z.int().min(1), spot: z.boolean().default(true) };

/**
 * Jobs that let agents attempt tasks in sandboxes (docs/ROLLOUTS.md), on instances of their own. Absent: none. A job
 * reserves its own processors and memory and, for each of `concurrency` episodes, those of a sandbox.
 */
const rolloutsSchema = z.strictObject({
  ...machinesSchema,
  maxVcpus: machinesSchema.maxVcpus.default(32),
  /** Episodes under way at a time in a job. */
  concurrency: z.int().min(1).default(4),
  /** `memoryMiB`: of its processes and twice its disk. */
  sandbox: z
    .strictObject({
      vcpus: z.number().positive().default(1),
      memoryMiB: z.int().min(64).default(1024),
    })
    .prefault({}),
  /** Of the job itself, without its sandboxes. */
  job: z
    .strictObject({
      vcpus: z.int().positive().default(1),
      memoryMiB: z.int().min(512).default(2048),
      timeoutMinutes: z.int().min(1).default(720),
      attempts: z.int().min(1).max(10).default(5),
    })
    .prefault({}),
  /** Jobs may read `models/` of the store, for agents that are models of one's own. */
  models: z.boolean().default(false),
  /** Images of sandboxes that each instance pulls when it starts, beside the one of containers/sandbox. */
  images: z.array(z.string().regex(/^[\w./:@-]+$/, "is no name of an image")).default([]),
  /** Jobs on GPUs with a server of vLLM beside the agent. Absent: none. */
  gpu: z
    .strictObject({
      ...machinesSchema,
      maxVcpus: machinesSchema.maxVcpus.default(16),
      /** With `gpus` GPUs each: a job takes all of an instance. */
      instanceTypes: z.array(z.string()).min(1).default(["g6.2xlarge", "g5.2xlarge"]),
      /** On the Hugging Face Hub. */
      model: z.string().min(1),
      image: z.string().min(1).default("vllm/vllm-openai:v0.11.0"),
      /** More arguments of the server. */
      args: z.array(z.string()).default(["--enable-auto-tool-choice", "--tool-call-parser", "hermes"]),
      gpus: z.int().min(1).default(1),
      /** Of the server. */
      vcpus: z.int().min(1).default(2),
      memoryMiB: z.int().min(2048).default(16_384),
    })
    .optional(),
});
export type RolloutsConfig = z.infer<typeof rolloutsSchema>;

const configSchema = z.strictObject({
  $schema: z.string().optional(),
  /** Prefix of all names: several deployments may share an account. */
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{1,19}$/, "2 to 20 lower-case letters, digits and hyphens, a letter first")
    .default("gymline"),
  /** The project's settings (docs/SETTINGS.md), relative to this file; without it, the defaults. */
  settings: z.string().optional(),
  account: z
    .string()
    .regex(/^\d{12}$/)
    .optional(),
  region: z.string().optional(),
  /** Processor of functions that load no native library. */
  architecture: z.enum(["arm64", "x86_64"]).default("arm64"),
  /** A key of its own in KMS for buckets, queues, table and topic (about 1 USD a month), instead of AWS's own keys. */
  kms: z.boolean().default(false),
  /** Dropped logs hold what redaction takes out: they go after so many days. 0 keeps them. */
  dropExpiryDays: z.int().min(0).default(30),
  /** Older versions of stored objects go after so many days. */
  storeVersionDays: z.int().min(1).default(30),
  /** What becomes of buckets and table when the stack is deleted. */
  onDelete: z.enum(["retain", "destroy"]).default("retain"),
  logRetentionDays: z.enum(["7", "14", "30", "60", "90", "180", "365"]).default("30"),
  datasets: z
    .array(deployedDatasetSchema)
    .refine((sets) => new Set(sets.map(({ request }) => request.name)).size === sets.length, {
      message: "two datasets have the same name",
    })
    .default([]),
  functions: z
    .strictObject({
      ingest: functionSchema({ memory: 1769, timeout: 300, concurrency: 10 }),
      score: functionSchema({ memory: 1769, timeout: 60, concurrency: 10 }),
      judge: functionSchema({ memory: 1769, timeout: 300, concurrency: 2 }),
      export: functionSchema({ memory: 1769, timeout: 900, concurrency: 2 }),
      sweep: functionSchema({ memory: 512, timeout: 300, concurrency: 2 }),
      /** There is one where `loop` names a model. */
      loop: functionSchema({ memory: 1769, timeout: 300, concurrency: 2 }),
    })
    .prefault({}),
  /** Models that train on what is published, and are promoted where they are shown to be better (docs/LOOP.md). */
  loop: z
    .array(deployedLoopSchema)
    .refine((loops) => new Set(loops.map(({ model }) => model)).size === loops.length, {
      message: "two loops have the same model",
    })
    .default([]),
  /**
   * The function that takes a trajectory in gives it its first score as well; else the stage `score` does. A critic or
   * a judge always has the stage do it.
   */
  scoreAlong: z.boolean().default(true),
  /** A larger dropped object is taken in by a Batch job. */
  functionObjectMiB: z.int().min(1).max(1024).default(64),
  /** A dataset of more rows is written by a Batch job. */
  functionExportRows: z.int().min(1).default(20_000),
  /** So is one of larger logs, taken together. */
  functionExportMiB: z.int().min(1).default(4096),
  /** Tries of one message before it goes to the dead-letter queue. */
  maxReceives: z.int().min(1).max(100).default(4),
  sweep: cronOrRate.default("rate(15 minutes)"),
  /** How often batches at a model provider are looked after; only where the settings have a judge. */
  judgeCollect: cronOrRate.default("rate(10 minutes)"),
  batch: z
    .strictObject({
      network: z
        .discriminatedUnion("kind", [
          /** A VPC of its own: public subnets without ingress, gateway endpoints for S3 and DynamoDB, no NAT. */
          z.strictObject({ kind: z.literal("own") }),
          z.strictObject({
            kind: z.literal("existing"),
            vpcId: z.string(),
            subnetIds: z.array(z.string()).min(1),
            availabilityZones: z.array(z.string()).min(1),
            securityGroupIds: z.array(z.string()).default([]),
          }),
        ])
        .prefault({ kind: "own" }),
      maxVcpus: z.int().min(1).default(16),
      gpu: z
        .strictObject({
          maxVcpus: z.int().min(0).default(8),
          instanceTypes: z.array(z.string()).min(1).default(["g6.xlarge", "g5.xlarge"]),
          spot: z.boolean().default(true),
        })
        .prefault({}),
      /** Of a job that takes over from a function. */
      job: z
        .strictObject({
          vcpus: z.int().positive().default(2),
          memoryMiB: z.int().min(512).default(4096),
          timeoutMinutes: z.int().min(1).default(360),
          attempts: z.int().min(1).max(10).default(3),
        })
        .prefault({}),
      /** Jobs that train on GPUs; without it there are none, and no image of some gigabytes is built for them. */
      training: z
        .strictObject({
          /** Of one job; more than one train together, each with a copy of the model. */
          gpus: z.int().min(1).max(8).default(1),
          vcpus: z.int().positive().default(4),
          /** What ECS leaves of the 16 GiB of the smallest GPU instances. */
          memoryMiB: z.int().min(2048).default(14_336),
          /** /dev/shm, by which processes of one job hand each other batches. */
          sharedMemoryMiB: z.int().min(64).default(2048),
          /** Of an instance: the image, models and the checkpoints of one run. */
          diskGiB: z.int().min(50).max(16_384).default(200),
          timeoutMinutes: z.int().min(1).default(1440),
          attempts: z.int().min(1).max(10).default(10),
        })
        .optional(),
      rollouts: rolloutsSchema.optional(),
    })
    .superRefine(({ gpu, training }, context) => {
      if (training === undefined || training.vcpus <= gpu.maxVcpus) return;
      context.addIssue({
        code: "custom",
        path: ["gpu", "maxVcpus"],
        message: `must be at least training.vcpus (${training.vcpus}), or no training job could ever start`,
      });
    })
    .prefault({}),
  alarms: z
    .strictObject({
      email: z.email().optional(),
      webhook: z.url({ protocol: /^https$/ }).optional(),
      /** Age of the oldest message, in minutes, that raises an alarm. */
      oldestMessageMinutes: z.int().min(1).default(60),
    })
    .prefault({}),
  tags: z.record(z.string(), z.string()).default({}),
});

/** `gymline.deploy.json`: what `cdk deploy` makes. Everything has a default that a small team can pay for. */
export const deploymentConfigSchema = configSchema.superRefine(({ loop, batch }, context) => {
  if (loop.length === 0) return;
  for (const jobs of ["training", "rollouts"] as const) {
    if (batch[jobs] !== undefined) continue;
    const message = `a loop needs jobs that ${jobs === "training" ? "train" : "evaluate"}: give batch.${jobs} ({} will do)`;
    context.addIssue({ code: "custom", path: ["loop"], message });
  }
});
export type DeploymentConfig = z.infer<typeof deploymentConfigSchema>;

/** Stages that run as functions in every deployment. */
export const STAGES = ["ingest", "score", "judge", "export", "sweep"] as const;
export type Stage = (typeof STAGES)[number];
/** The last is there where the configuration has a loop. */
export type StageName = Stage | "loop";

/** Those of one deployment. */
export function stagesOf({ loop }: Pick<DeploymentConfig, "loop">): readonly StageName[] {
  return loop.length === 0 ? STAGES : [...STAGES, "loop"];
}
