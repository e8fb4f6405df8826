import { pathToFileURL } from "node:url";
import type { DomainProfile } from "../../domains/profile.ts";
import type { ReadingLimits } from "../../reading/limits.ts";
import type { RedactionConfig } from "../../redaction/config.ts";
import type { RewardConfig } from "../../reward/config.ts";
import type { TaskSettings } from "../../stages/compute-tasks.ts";
import { ingestSettings } from "../../stages/ingest-settings.ts";
import type { Format } from "../../trajectory/format.ts";
import { builtinFormats } from "../../trajectory/formats/builtin.ts";
import { createCustomFormat } from "../../trajectory/formats/custom.ts";
import type { CustomMapping } from "../../trajectory/formats/custom-mapping.ts";
import { registeredFormats } from "../../trajectory/registry.ts";

/** Settings of a pipeline as plain data, so that they can be handed to a thread. */
export interface PipelinePlan {
  /** Name of the one format everything is read as. */
  readonly forced?: string;
  readonly mappings: readonly CustomMapping[];
  /** Absolute paths of modules that call `registerFormat`. */
  readonly plugins: readonly string[];
  readonly limits: ReadingLimits;
  readonly redaction: RedactionConfig;
  readonly reward: RewardConfig;
  readonly profile?: DomainProfile;
}

/** A plugin module could not be loaded. */
export class PluginError extends Error {
  override readonly name = "PluginError";
  constructor(path: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`the plugin ${path} could not be loaded: ${why}`, { cause });
  }
}

/** All formats of a plan: built in, mapped, and registered by plugins or by the calling program. */
export async function formatsOf(
  plan: Pick<PipelinePlan, "mappings" | "plugins">,
): Promise<readonly Format[]> {
  for (const path of plan.plugins) {
    try {
      await import(pathToFileURL(path).href);
    } catch (cause) {
      throw new PluginError(path, cause);
    }
  }
  return [...builtinFormats, ...plan.mappings.map(createCustomFormat), ...registeredFormats()];
}

/** Makes a plan's formats, redactor and scorer; once per thread. */
export async function taskSettings(plan: PipelinePlan): Promise<TaskSettings> {
  const formats = await formatsOf(plan);
  const { limits, redaction, forced, reward, profile } = plan;
  return {
    ingest: ingestSettings({ formats, limits, redaction, ...(forced === undefined ? {} : { forced }) }),
    score: { reward, ...(profile === undefined ? {} : { profile }) },
  };
}
