import { z } from "zod";
import { parseCalibration } from "../calibration/calibration-document.ts";
import { type CriticFiles, checkModelBytes, parseCritic } from "../critic/critic-document.ts";
import { getDomainProfile, isBuiltinDomain } from "../domains/builtin.ts";
import { parseDomainProfile } from "../domains/profile.ts";
import { parseReferences } from "../reward/references.ts";
import { parseRubrics } from "../reward/rubric-book.ts";
import { parseCustomMapping } from "../trajectory/formats/custom-mapping.ts";
import { placedLoopSchema } from "./deployed-loop.ts";
import { deployedDatasetSchema } from "./deployment-config.ts";
import type { PipelinePlan } from "./pipeline-plan.ts";
import { projectConfigSchema } from "./project-config.ts";

const namedJson = z.strictObject({ name: z.string(), json: z.unknown() });

const fileSchema = z.strictObject({
  /** As the requests name it; files of a tokenizer are under the path of its folder. */
  path: z.string(),
  content: z.base64(),
});
export type DeployedFile = Readonly<z.infer<typeof fileSchema>>;

/** Everything that functions and jobs need to know, in one JSON file beside their code. */
export const deployedSettingsSchema = z.strictObject({
  schema: z.literal("gymline.settings.v1"),
  config: projectConfigSchema,
  /** The mapping files that `config` names, in its order. */
  mappings: z.array(namedJson).default([]),
  /** The profile file that `config.domain` names; absent where that is a built-in domain. */
  profile: namedJson.optional(),
  /** The file that `config.rubrics` names. */
  rubrics: namedJson.optional(),
  /** The file that `config.calibration` names. */
  calibration: namedJson.optional(),
  /** The critic that `config.critic` names; its model in base64. */
  critic: z.strictObject({ name: z.string(), json: z.string(), model: z.base64() }).optional(),
  /** The file that `config.references` names. */
  references: namedJson.optional(),
  datasets: z.array(deployedDatasetSchema).default([]),
  /** Evaluation sets and tokenizers that datasets name; only the export and jobs are given them. */
  files: z.array(fileSchema).default([]),
  /** Loops with their tasks; only their function is given them. */
  loops: z.array(placedLoopSchema).min(1).exactOptional(),
});
export type DeployedSettings = z.infer<typeof deployedSettingsSchema>;

/** A deployment cannot use this setting. */
export class DeployedSettingsError extends Error {
  override readonly name = "DeployedSettingsError";
}

/** Path of the profile file that `config.domain` names; undefined where it names a built-in domain or none. */
export function profilePathOf({ domain }: { readonly domain?: string | undefined }): string | undefined {
  return domain === undefined || isBuiltinDomain(domain) ? undefined : domain;
}

/** The plan that these settings make. @throws DeployedSettingsError, MappingError, DomainProfileError */
export function planOf(settings: DeployedSettings): PipelinePlan {
  const { config, mappings, profile } = settings;
  const rubrics =
    settings.rubrics === undefined ? undefined : parseRubrics(settings.rubrics.json, settings.rubrics.name);
  if (config.plugins.length > 0) {
    throw new DeployedSettingsError(
      "plugins are modules on one machine and cannot be deployed: describe the format in a mapping file instead",
    );
  }
  const domain = config.domain;
  if (domain !== undefined && profile === undefined && !isBuiltinDomain(domain)) {
    throw new DeployedSettingsError(`the profile file of the domain "${domain}" is not among the settings`);
  }
  const chosen =
    profile !== undefined
      ? parseDomainProfile(profile.json, profile.name, rubrics && [...rubrics.rubrics.keys()])
      : domain === undefined
        ? undefined
        : getDomainProfile(domain);
  return {
    mappings: mappings.map(({ name, json }) => parseCustomMapping(json, name)),
    plugins: [],
    limits: config.limits,
    redaction: config.redaction,
    reward: config.reward,
    ...(chosen === undefined ? {} : { profile: chosen }),
    ...(rubrics === undefined ? {} : { rubrics }),
    ...(config.judge === undefined ? {} : { judge: config.judge }),
    ...(settings.critic === undefined ? {} : { critic: criticOf(settings.critic) }),
    ...(settings.references === undefined
      ? {}
      : { references: parseReferences(settings.references.json, settings.references.name) }),
    ...(settings.calibration === undefined
      ? {}
      : {
          calibration: parseCalibration(settings.calibration.json, settings.calibration.name),
        }),
  };
}

/** Checked here, so that a deployment of a critic that does not fit this version fails before it is made. */
function criticOf({ name, json, model }: NonNullable<DeployedSettings["critic"]>): CriticFiles {
  const bytes = new Uint8Array(Buffer.from(model, "base64"));
  checkModelBytes(parseCritic(json, name), bytes, name);
  return { source: name, json, model: bytes };
}
