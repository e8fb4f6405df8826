import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { readTasks } from "../collect/read-tasks.ts";
import { CRITIC_DOCUMENT, parseCritic } from "../critic/critic-document.ts";
import { priceOf } from "../judge/prices.ts";
import { collectFiles } from "./deployed-files.ts";
import type { DeployedLoop, PlacedLoop } from "./deployed-loop.ts";
import { type DeployedSettings, deployedSettingsSchema, planOf, profilePathOf } from "./deployed-settings.ts";
import { type DeploymentConfig, deploymentConfigSchema } from "./deployment-config.ts";
import { type ProjectConfig, projectConfigSchema } from "./project-config.ts";

/** A deployment as its files describe it. */
export interface Deployment {
  readonly config: DeploymentConfig;
  /** What functions and jobs are told: goes beside their code as `settings.json`. */
  readonly settings: DeployedSettings;
}

/** How the files are read: shared by the CDK app and the checks before it, neither of which may read for the other. */
export interface DeploymentFiles {
  /** Text of a file; may throw. */
  readonly read: (path: string) => string;
  /** Bytes of a file; may throw. */
  readonly bytes: (path: string) => Uint8Array;
  readonly exists: (path: string) => boolean;
}

/** A file of the deployment cannot be used. The message names the file, the field and what to do. */
export class DeploymentConfigError extends Error {
  override readonly name = "DeploymentConfigError";
}

export const DEPLOYMENT_CONFIG_NAME = "gymline.deploy.json";

/**
 * Reads the deployment's configuration with everything that it refers to.
 * @param folder where a relative `path` starts and where `gymline.deploy.json` is looked for
 * @param path file to read; without it `gymline.deploy.json`, or all defaults where there is none
 * @throws DeploymentConfigError
 */
export function readDeployment(
  { folder, path }: { readonly folder: string; readonly path?: string | undefined },
  files: DeploymentFiles,
): Deployment {
  const file = resolve(folder, path ?? DEPLOYMENT_CONFIG_NAME);
  const config =
    path === undefined && !files.exists(file)
      ? deploymentConfigSchema.parse({})
      : read(deploymentConfigSchema, { file, files });
  const place = { folder: dirname(file), files };
  const loops = config.loop.map((loop) => placedLoop(loop, place));
  const settings = readSettings(config, place);
  return { config, settings: loops.length === 0 ? settings : { ...settings, loops } };
}

function readSettings(
  config: DeploymentConfig,
  { folder, files }: { readonly folder: string; readonly files: DeploymentFiles },
): DeployedSettings {
  const { datasets } = config;
  const carried = datasetFiles(datasets, { folder, files });
  if (config.settings === undefined) {
    return deployedSettingsSchema.parse({ ...EMPTY, datasets, files: carried });
  }
  const file = resolve(folder, config.settings);
  const project = read(projectConfigSchema, { file, files });
  const settings = { ...withFiles({ project, datasets, folder: dirname(file), files }), files: [...carried] };
  try {
    planOf(settings);
  } catch (cause) {
    throw new DeploymentConfigError(`${file} cannot be deployed: ${reasonOf(cause)}`, { cause });
  }
  const { judge } = project;
  if (
    judge !== undefined &&
    judge.budgets.usdPerDay !== null &&
    priceOf(judge.model, judge.prices) === null
  ) {
    throw new DeploymentConfigError(
      `${file} cannot be deployed: what ${judge.model} costs is not known, so the judge would keep to no limit on money; give its price under judge.prices, or set judge.budgets.usdPerDay to null`,
    );
  }
  return settings;
}

const EMPTY = { schema: "gymline.settings.v1", config: {} };

/** Of one file of tasks, which goes along with the loop's function. */
const MOST_TASK_BYTES = 16 * 1024 * 1024;

/** A loop with its tasks, relative to the deployment's file. @throws DeploymentConfigError */
function placedLoop(
  loop: DeployedLoop,
  { folder, files }: { readonly folder: string; readonly files: DeploymentFiles },
): PlacedLoop {
  const tasksOf = (name: string): string => {
    try {
      const text = files.read(resolve(folder, name));
      if (Buffer.byteLength(text) > MOST_TASK_BYTES) {
        throw new RangeError(`${name} has more than ${MOST_TASK_BYTES} bytes; take fewer tasks`);
      }
      const carried = readTasks(text, name).find(({ sandbox }) => repoSchema.safeParse(sandbox).success);
      if (carried === undefined) return text;
      throw new RangeError(`${carried.id} begins from a repository, which does not go along; leave it out`);
    } catch (cause) {
      throw new DeploymentConfigError(
        `tasks of the loop of ${loop.model} cannot be deployed: ${reasonOf(cause)}`,
        { cause },
      );
    }
  };
  const { evaluate, collect } = loop;
  return {
    loop,
    tasks: {
      evaluate: tasksOf(evaluate.tasks),
      collect: collect === undefined ? null : tasksOf(collect.tasks),
    },
  };
}

const repoSchema = z.object({ repo: z.string() });

/** What datasets name, relative to the deployment's file. @throws DeploymentConfigError */
function datasetFiles(
  datasets: DeployedSettings["datasets"],
  { folder, files }: { readonly folder: string; readonly files: DeploymentFiles },
): DeployedSettings["files"] {
  try {
    const requests = datasets.map(({ request }) => request);
    return [
      ...collectFiles(requests, {
        read: (path) => files.bytes(resolve(folder, path)),
        exists: (path) => files.exists(resolve(folder, path)),
      }),
    ];
  } catch (cause) {
    throw new DeploymentConfigError(
      `a file that a dataset names (\`against\`, \`tokenizer\`) cannot be deployed: ${reasonOf(cause)}`,
      { cause },
    );
  }
}

/** Names stay as the settings give them: a path of this machine in them would change with the machine. */
function withFiles({
  project,
  datasets,
  folder,
  files,
}: {
  readonly project: ProjectConfig;
  readonly datasets: DeployedSettings["datasets"];
  readonly folder: string;
  readonly files: DeploymentFiles;
}): Omit<DeployedSettings, "files"> {
  const named = (name: string) => ({ name, json: readJson({ file: resolve(folder, name), files }) });
  const profilePath = profilePathOf(project);
  return {
    schema: "gymline.settings.v1",
    config: project,
    mappings: project.mappings.map(named),
    ...(profilePath === undefined ? {} : { profile: named(profilePath) }),
    ...(project.rubrics === undefined ? {} : { rubrics: named(project.rubrics) }),
    ...(project.critic === undefined ? {} : { critic: criticFiles(project.critic, { folder, files }) }),
    ...(project.references === undefined ? {} : { references: named(project.references) }),
    ...(project.calibration === undefined ? {} : { calibration: named(project.calibration) }),
    datasets,
  };
}

function criticFiles(
  name: string,
  { folder, files }: { readonly folder: string; readonly files: DeploymentFiles },
): NonNullable<DeployedSettings["critic"]> {
  const path = resolve(folder, name);
  const source = join(path, CRITIC_DOCUMENT);
  try {
    const json = files.read(source);
    const { file } = parseCritic(json, source).model;
    return { name, json, model: Buffer.from(files.bytes(join(path, file))).toString("base64") };
  } catch (cause) {
    throw new DeploymentConfigError(`the critic ${path} cannot be deployed: ${reasonOf(cause)}`, { cause });
  }
}

interface Place {
  readonly file: string;
  readonly files: DeploymentFiles;
}

function read<T extends z.ZodType>(schema: T, place: Place): z.output<T> {
  const { file } = place;
  const result = schema.safeParse(readJson(place));
  if (result.success) return result.data;
  const faults = result.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.join(".") || "$"}: ${message}`);
  throw new DeploymentConfigError(
    `${file} is no valid configuration: ${faults.join("; ")}. docs/DEPLOYMENT.md lists all keys`,
  );
}

function readJson({ file, files }: Place): unknown {
  let text: string;
  try {
    text = files.read(file);
  } catch (cause) {
    throw new DeploymentConfigError(
      `${file} cannot be read (${reasonOf(cause)}): create it, or correct the path that names it`,
      { cause },
    );
  }
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    // V8 quotes the text around the fault, which may hold a secret: the cause keeps it, the message does not.
    throw new DeploymentConfigError(`${file} is no valid JSON: correct its syntax and try again`, { cause });
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : "unknown fault";
}
