import { join } from "node:path";
import { App, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { z } from "zod";
import cdkJson from "../../cdk.json" with { type: "json" };
import { gymlineApp } from "../../infra/app.ts";
import type { LocalOptions } from "../../infra/local-options.ts";
import { type DeployedFile, deployedSettingsSchema } from "../../shared/contracts/deployed-settings.ts";
import { type DeploymentConfig, deploymentConfigSchema } from "../../shared/contracts/deployment-config.ts";
import { batchStackName, pipelineStackName } from "../../shared/contracts/names.ts";
import type { projectConfigSchema } from "../../shared/contracts/project-config.ts";

const handler = join(import.meta.dirname, "fixtures/handler.ts");

export interface SynthOptions {
  readonly config?: z.input<typeof deploymentConfigSchema>;
  readonly local?: LocalOptions;
  /** The project's settings. */
  readonly project?: z.input<typeof projectConfigSchema>;
  /** What datasets name. */
  readonly files?: readonly DeployedFile[];
  /** Of `-c commit=`. */
  readonly commit?: string;
}

/** A deployment with the loop of one model, on all that it needs. */
export const WITH_LOOP = {
  batch: { training: {}, rollouts: {} },
  loop: [
    {
      ...{ model: "agent", dataset: "coding", train: { base: "a/model" } },
      evaluate: { env: { id: "gymline/sandbox-v1" }, tasks: "held-out.jsonl" },
    },
  ],
} satisfies z.input<typeof deploymentConfigSchema>;

/** The app of a deployment with the least handlers, under the feature flags of cdk.json. */
export function makeApp(options: SynthOptions = {}): {
  app: App;
  config: DeploymentConfig;
} {
  const { config: input = {}, local, project = {}, files = [], commit } = options;
  const config = deploymentConfigSchema.parse(input);
  const settings = deployedSettingsSchema.parse({
    schema: "gymline.settings.v1",
    config: project,
    datasets: config.datasets,
    files,
    ...(config.loop.length === 0
      ? {}
      : { loops: config.loop.map((loop) => ({ loop, tasks: { evaluate: "{}", collect: null } })) }),
  });
  const app = gymlineApp({
    app: new App({ context: { ...cdkJson.context, commit }, analyticsReporting: false, treeMetadata: false }),
    deployment: { config, settings },
    entries: {
      ingest: handler,
      score: handler,
      judge: handler,
      export: handler,
      sweep: handler,
      loop: handler,
    },
    image: { folder: join(import.meta.dirname, "fixtures/image"), dockerfile: "Dockerfile", sandbox: "." },
    trainerImage: { folder: join(import.meta.dirname, "fixtures/image"), dockerfile: "Dockerfile" },
    local,
  });
  return { app, config };
}

export function stackOf(app: App, name: string): Stack {
  const found = app.node.findChild(name);
  if (found instanceof Stack) return found;
  throw new TypeError(`${name} is no stack`);
}

export function pipelineTemplate(options: SynthOptions = {}): Template {
  const { app, config } = makeApp(options);
  return Template.fromStack(stackOf(app, pipelineStackName(config.name)));
}

export function batchTemplate(options: SynthOptions = {}): Template {
  const { app, config } = makeApp(options);
  return Template.fromStack(stackOf(app, batchStackName(config.name)));
}

const resourceSchema = z.looseObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DeletionPolicy: z.string().optional(),
  DependsOn: z.union([z.string(), z.array(z.string())]).optional(),
});
export type Resource = z.infer<typeof resourceSchema>;

/** All resources of a template by logical id. */
export function resourcesOf(template: Template): Readonly<Record<string, Resource>> {
  return z.record(z.string(), resourceSchema).parse(template.toJSON()["Resources"]);
}

/** Resources of one type. */
export function ofType(template: Template, type: string): readonly (Resource & { readonly id: string })[] {
  return Object.entries(resourcesOf(template))
    .filter(([, resource]) => resource.Type === type)
    .map(([id, resource]) => ({ ...resource, id }));
}
