import type { PipelinePlan } from "../../shared/contracts/pipeline-plan.ts";
import { projectConfigSchema } from "../../shared/contracts/project-config.ts";

/** The settings of a run without a configuration file. */
export function makePlan(more: Partial<PipelinePlan> = {}): PipelinePlan {
  const { limits, redaction, reward } = projectConfigSchema.parse({});
  return { mappings: [], plugins: [], limits, redaction, reward, ...more };
}
