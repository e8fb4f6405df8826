import { z } from "zod";
import { judgeConfigSchema } from "../judge/config.ts";
import { readingLimitsSchema } from "../reading/limits.ts";
import { redactionConfigSchema } from "../redaction/config.ts";
import { rewardConfigSchema } from "../reward/config.ts";
import { datasetRequestSchema } from "./dataset-request.ts";
import { promotionPolicySchema } from "./promotion-policy.ts";

/** The configuration file, `gymline.json`. Paths in it are relative to the file. */
export const projectConfigSchema = z.strictObject({
  $schema: z.string().optional(),
  limits: readingLimitsSchema.prefault({}),
  redaction: redactionConfigSchema.prefault({}),
  reward: rewardConfigSchema.prefault({}),
  dataset: datasetRequestSchema.prefault({}),
  /** Mapping files of custom formats. */
  mappings: z.array(z.string()).default([]),
  /** Modules that call `registerFormat`. */
  plugins: z.array(z.string()).default([]),
  /** Name of a built-in domain, or the path of a profile file. */
  domain: z.string().optional(),
  /** File of rubrics and sets of one's own. */
  rubrics: z.string().optional(),
  /** How a model judges trajectories. */
  judge: judgeConfigSchema.optional(),
  /** Folder that `gymline critic train` wrote. */
  critic: z.string().optional(),
  /** File that `gymline calibrate` wrote. */
  calibration: z.string().optional(),
  /** File that `gymline references` wrote. */
  references: z.string().optional(),
  /** When a candidate takes the champion's place. */
  promotion: promotionPolicySchema.prefault({}),
});

export type ProjectConfig = z.infer<typeof projectConfigSchema>;
