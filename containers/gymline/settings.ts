import { existsSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { type CalibrationDocument, parseCalibration } from "../../shared/calibration/calibration-document.ts";
import type { PipelinePlan } from "../../shared/contracts/pipeline-plan.ts";
import { type ProjectConfig, projectConfigSchema } from "../../shared/contracts/project-config.ts";
import { CRITIC_DOCUMENT, type CriticFiles, parseCritic } from "../../shared/critic/critic-document.ts";
import { getDomainProfile, isBuiltinDomain, listDomainProfiles } from "../../shared/domains/builtin.ts";
import { type DomainProfile, parseDomainProfile } from "../../shared/domains/profile.ts";
import { parseReferences, type References } from "../../shared/reward/references.ts";
import { parseRubrics } from "../../shared/reward/rubric-book.ts";
import { builtinRubrics, type RubricBook } from "../../shared/reward/rubrics.ts";
import { parseCustomMapping } from "../../shared/trajectory/formats/custom-mapping.ts";
import { textOfFile } from "./text-lines.ts";
import { UsageError } from "./usage-error.ts";

/** Options that shape reading and scoring, as the commands share them. */
export interface SettingsOptions {
  readonly config?: string;
  readonly format?: string;
  readonly mapping?: readonly string[];
  readonly plugin?: readonly string[];
  readonly domain?: string;
  /** Folder of a critic. */
  readonly critic?: string;
}

export interface Settings {
  readonly plan: PipelinePlan;
  readonly config: ProjectConfig;
}

const CONFIG_NAME = "gymline.json";

/** Reads configuration file, mappings, plugins and profile. @throws UsageError naming file and place */
export function loadSettings(options: SettingsOptions): Settings {
  const { config, folder } = readConfig(options.config);
  // A file that both the configuration and the command line name is one mapping, not two that collide.
  const mappings = new Set([
    ...config.mappings.map((path) => resolve(folder, path)),
    ...(options.mapping ?? []).map((path) => resolve(path)),
  ]);
  const plugins = [
    ...config.plugins.map((path) => resolve(folder, path)),
    ...(options.plugin ?? []).map((path) => resolve(path)),
  ];
  const rubrics = config.rubrics === undefined ? undefined : rubricsOfFile(resolve(folder, config.rubrics));
  const profile =
    options.domain !== undefined
      ? profileOf(options.domain, ".", rubrics)
      : config.domain === undefined
        ? undefined
        : profileOf(config.domain, folder, rubrics);
  const own = config.critic === undefined ? undefined : resolve(folder, config.critic);
  const critic = options.critic === undefined ? own : resolve(options.critic);
  const plan: PipelinePlan = {
    ...(options.format === undefined ? {} : { forced: options.format }),
    mappings: [...mappings].map((path) => parseCustomMapping(readJson(path), path)),
    plugins,
    limits: config.limits,
    redaction: config.redaction,
    reward: config.reward,
    ...(profile === undefined ? {} : { profile }),
    ...(rubrics === undefined ? {} : { rubrics }),
    ...(config.judge === undefined ? {} : { judge: config.judge }),
    ...(critic === undefined ? {} : { critic: criticOfFolder(critic) }),
    ...(config.references === undefined
      ? {}
      : { references: referencesOfFile(resolve(folder, config.references)) }),
    ...(config.calibration === undefined
      ? {}
      : { calibration: calibrationOfFile(resolve(folder, config.calibration)) }),
  };
  return { plan, config };
}

/** A file of rubrics. @throws UsageError, RubricError */
export function rubricsOfFile(path: string): RubricBook {
  return parseRubrics(readJson(path), path);
}

/** The files of a critic; whether they fit together is found when it is loaded. @throws UsageError, CriticError */
function criticOfFolder(folder: string): CriticFiles {
  const source = join(folder, CRITIC_DOCUMENT);
  try {
    const json = readFileSync(source, "utf8");
    const { file } = parseCritic(json, source).model;
    return { source: folder, json, model: new Uint8Array(readFileSync(join(folder, file))) };
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause)) throw cause;
    throw new UsageError(
      `the critic ${folder} cannot be read (${cause.message}): give the folder that gymline critic train wrote`,
      { cause },
    );
  }
}

/** @throws UsageError, ReferencesError */
function referencesOfFile(path: string): References {
  return parseReferences(readJson(path), path);
}

/** @throws UsageError, CalibrationError */
function calibrationOfFile(path: string): CalibrationDocument {
  return parseCalibration(readJson(path), path);
}

/** A built-in domain by name, or a profile file by path. */
export function profileOf(name: string, folder: string, rubrics = builtinRubrics): DomainProfile {
  if (isBuiltinDomain(name)) return getDomainProfile(name);
  const path = isAbsolute(name) ? name : resolve(folder, name);
  if (existsSync(path)) return parseDomainProfile(readJson(path), path, [...rubrics.rubrics.keys()]);
  throw new UsageError(
    `there is no domain "${name}": give one of ${listDomainProfiles().join(", ")}, or the path of a profile file`,
  );
}

function readConfig(path: string | undefined): { readonly config: ProjectConfig; readonly folder: string } {
  const file = resolve(path ?? CONFIG_NAME);
  if (path === undefined && !existsSync(file)) return { config: projectConfigSchema.parse({}), folder: "." };
  const result = projectConfigSchema.safeParse(readJson(file));
  if (result.success) return { config: withPaths(result.data, dirname(file)), folder: dirname(file) };
  const faults = result.error.issues
    .slice(0, 5)
    .map(({ path: place, message }) => `${place.join(".") || "$"}: ${message}`);
  throw new UsageError(`${file} is no valid configuration: ${faults.join("; ")}`);
}

/** Evaluation sets and tokenizer by paths that hold where the program runs. */
function withPaths(config: ProjectConfig, folder: string): ProjectConfig {
  const { against, tokenizer } = config.dataset;
  const dataset = {
    ...config.dataset,
    ...(against === undefined ? {} : { against: against.map((path) => resolve(folder, path)) }),
    ...(tokenizer === undefined ? {} : { tokenizer: resolve(folder, tokenizer) }),
  };
  return { ...config, dataset };
}

export function readJson(path: string): unknown {
  const text = textOfFile(path);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(
      `${path} is no valid JSON: ${cause instanceof Error ? cause.message : "unknown fault"}`,
      {
        cause,
      },
    );
  }
}
