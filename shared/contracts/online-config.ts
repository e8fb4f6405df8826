import { z } from "zod";
import { loopPolicySchema, triesSchema } from "./loop.ts";

/**
 * A program and its arguments: `gymline` first is this program. What stands in braces is filled in: `{files}` folder of
 * the model that acts or that training starts from, `{dataset}` dataset version, `{out}` folder of the result, `{store}`,
 * `{drop}`, `{run}`, `{iteration}`.
 */
const commandSchema = z.array(z.string()).min(1);

/** `online.json`: the loop of one model in one process (docs/LOOP.md). Paths are relative to the file. */
export const onlineConfigSchema = z.strictObject({
  $schema: z.string().optional(),
  model: loopPolicySchema.shape.model,
  /** Folder of the model that the loop begins with: its first champion. */
  base: z.string().min(1),
  store: z.string().default("out"),
  drop: z.string().default("drop"),
  /** Of trainings, evaluations, logs and where the loop stands. */
  folder: z.string().default("online"),
  /** Configuration file of the store: how it scores and what it exports. */
  config: z.string().optional(),
  iterations: z.int().min(1).default(5),
  /** Ends after so many iterations in a row without a new champion; 0: never. */
  patience: z.int().min(0).default(0),
  /** Lets the champion act; its logs go into the drop. Tried again, it is given the same `{run}`. */
  collect: commandSchema,
  /** Leaves `training.json` in `{out}`, last. */
  train: commandSchema,
  evaluate: z.strictObject({
    /** What `gymline evaluate` is told beside the agents: environment, tasks, attempts, seed. */
    options: z.array(z.string()),
    /** What acts, as a file of `--agents` has it; `{files}` is the folder of the model. */
    agent: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  }),
  retrain: loopPolicySchema.shape.retrain,
  promotion: loopPolicySchema.shape.promotion,
  /** Of a training, and of an evaluation. */
  hours: z.number().positive().default(12),
  /** That a training, or an evaluation, is tried, as in a deployment. What is stopped or killed is not counted. */
  tries: triesSchema,
});
export type OnlineConfig = Readonly<z.infer<typeof onlineConfigSchema>>;
