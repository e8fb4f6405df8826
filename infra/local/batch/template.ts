import { z } from "zod";
import { containerSchema } from "./container.ts";
import { BatchSetupError } from "./errors.ts";
import { type Json, jsonSchema, type Lookup, resolveIntrinsics, UnresolvedValueError } from "./intrinsics.ts";
import {
  batchArn,
  type ComputeEnvironment,
  type DeclaredDefinition,
  type JobQueue,
  type Place,
} from "./resources.ts";
import { retryStrategySchema } from "./retry-strategy.ts";

/** A synthesised template, and the name that messages call it by. */
export interface NamedTemplate {
  readonly name: string;
  readonly body: unknown;
}

/** What the templates declare for Batch. */
export interface BatchResources {
  readonly definitions: readonly DeclaredDefinition[];
  readonly queues: readonly JobQueue[];
  readonly computeEnvironments: readonly ComputeEnvironment[];
}

interface Context {
  readonly templates: readonly NamedTemplate[];
  /** Values of parameters, other resources (`Name`, `Name.Attribute`), imports and pseudo parameters. */
  readonly values: Readonly<Record<string, Json>>;
  readonly place: Place;
}

interface Resource {
  readonly id: string;
  readonly template: string;
  readonly properties: Readonly<Record<string, Json>>;
  readonly lookup: Lookup;
  readonly place: Place;
}

const templateSchema = z.object({
  Parameters: z.record(z.string(), z.object({ Default: jsonSchema.optional() })).default({}),
  Resources: z
    .record(
      z.string(),
      z.object({ Type: z.string(), Properties: z.record(z.string(), jsonSchema).default({}) }),
    )
    .default({}),
});

/**
 * Reads job definitions, queues and compute environments from CloudFormation templates; other resources do not
 * matter. Only the properties that the runner uses need values.
 * @throws BatchSetupError that names template, resource and property
 */
export function readTemplates({ templates, values, place }: Context): BatchResources {
  const resources = templates.flatMap(({ name, body }) => resourcesOf(name, body, { values, place }));
  const ofType = (type: string): readonly Resource[] =>
    resources.filter((resource) => resource.type === `AWS::Batch::${type}`);
  return {
    definitions: unique(
      "job definition",
      // Jobs of several containers want a GPU: whoever submits one is told that there is no such definition.
      ofType("JobDefinition")
        .filter(({ properties }) => properties["EcsProperties"] === undefined)
        .map(readDefinition),
    ),
    queues: unique("job queue", ofType("JobQueue").map(readQueue)),
    computeEnvironments: unique(
      "compute environment",
      ofType("ComputeEnvironment").map(readComputeEnvironment),
    ),
  };
}

const definitionSchema = z.object({
  type: z.literal("container", "the runner knows job definitions of type container only"),
  parameters: z.record(z.string(), z.string()).default({}),
  containerProperties: containerSchema,
  retryStrategy: retryStrategySchema.default({}),
  // The CDK writes an empty one where there is none.
  timeout: z.object({ attemptDurationSeconds: z.number().int().positive().optional() }).optional(),
  platformCapabilities: z.array(z.string()).default(["EC2"]),
  propagateTags: z.boolean().default(false),
  tags: z.record(z.string(), z.string()).default({}),
});

function readDefinition(resource: Resource): DeclaredDefinition {
  const { containerProperties, timeout, type: _, ...rest } = read(resource, definitionSchema);
  return {
    ...rest,
    name: nameOf(resource, "JobDefinitionName"),
    container: containerProperties,
    timeout: timeout?.attemptDurationSeconds ?? null,
  };
}

const queueSchema = z.object({
  priority: z.number().int().min(0),
  state: z.enum(["ENABLED", "DISABLED"]).default("ENABLED"),
  computeEnvironmentOrder: z
    .array(z.object({ order: z.number().int(), computeEnvironment: z.string() }))
    .min(1),
});

function readQueue(resource: Resource): JobQueue {
  const { priority, state, computeEnvironmentOrder } = read(resource, queueSchema);
  const name = nameOf(resource, "JobQueueName");
  return {
    name,
    arn: batchArn(resource.place, `job-queue/${name}`),
    priority,
    state,
    computeEnvironments: computeEnvironmentOrder
      .toSorted((left, right) => left.order - right.order)
      .map(({ computeEnvironment }) => computeEnvironment),
  };
}

const computeEnvironmentSchema = z.object({
  type: z
    .string()
    .transform((type) => type.toUpperCase())
    .pipe(z.enum(["MANAGED", "UNMANAGED"])),
  state: z.enum(["ENABLED", "DISABLED"]).default("ENABLED"),
  computeResources: z.object({ type: z.string(), maxvCpus: z.number().int().min(0) }).optional(),
  unmanagedvCpus: z.number().int().optional(),
});

function readComputeEnvironment(resource: Resource): ComputeEnvironment {
  const { type, state, computeResources, unmanagedvCpus } = read(resource, computeEnvironmentSchema);
  const name = nameOf(resource, "ComputeEnvironmentName");
  return {
    name,
    arn: batchArn(resource.place, `compute-environment/${name}`),
    type,
    state,
    resourceType: computeResources?.type ?? "EC2",
    maxVcpus: computeResources?.maxvCpus ?? unmanagedvCpus ?? 0,
  };
}

function resourcesOf(
  template: string,
  body: unknown,
  { values, place }: Pick<Context, "values" | "place">,
): readonly (Resource & { readonly type: string })[] {
  const parsed = templateSchema.safeParse(body);
  if (!parsed.success)
    throw new BatchSetupError(`${template} is no template: ${z.prettifyError(parsed.error)}`);
  const { Parameters, Resources } = parsed.data;
  const given = new Map(Object.entries(values));
  const pseudo = new Map<string, Json>([
    ["AWS::Region", place.region],
    ["AWS::AccountId", place.account],
    ["AWS::Partition", "aws"],
    ["AWS::URLSuffix", "amazonaws.com"],
  ]);
  const lookup: Lookup = (name) => {
    const own = (): Json | undefined => {
      const [id = "", attribute] = name.split(".");
      const found = Object.hasOwn(Resources, id) ? Resources[id] : undefined;
      if (found === undefined) return undefined;
      return arnOf({ id, template, properties: found.Properties, lookup, place }, found.Type, attribute);
    };
    return (
      given.get(name) ??
      pseudo.get(name) ??
      own() ??
      (Object.hasOwn(Parameters, name) ? Parameters[name]?.Default : undefined)
    );
  };
  return Object.entries(Resources).map(([id, { Type, Properties }]) => ({
    id,
    type: Type,
    template,
    properties: Properties,
    lookup,
    place,
  }));
}

/** Batch's own resources are known by their ARNs without help. */
function arnOf(resource: Resource, type: string, attribute: string | undefined): string | undefined {
  if (type === "AWS::Batch::ComputeEnvironment" && [undefined, "ComputeEnvironmentArn"].includes(attribute)) {
    return batchArn(resource.place, `compute-environment/${nameOf(resource, "ComputeEnvironmentName")}`);
  }
  if (type === "AWS::Batch::JobQueue" && [undefined, "JobQueueArn"].includes(attribute)) {
    return batchArn(resource.place, `job-queue/${nameOf(resource, "JobQueueName")}`);
  }
  return undefined;
}

/** A resource that the template does not name is known by its logical id. */
function nameOf(resource: Resource, property: string): string {
  const { id, template, lookup, properties } = resource;
  const given = properties[property];
  if (given === undefined) return id;
  try {
    return z.string().parse(resolveIntrinsics(given, { lookup, path: `${id}.${property}` }));
  } catch (cause) {
    throw new BatchSetupError(`${template}: ${faultOf(cause, `${id}.${property}`)}`, { cause });
  }
}

function read<T extends z.ZodObject>(resource: Resource, schema: T): z.output<T> {
  const { id, template, lookup, properties } = resource;
  try {
    return schema.parse(camelised(pruned(properties, schema), { lookup, path: id }));
  } catch (cause) {
    throw new BatchSetupError(`${template}: ${faultOf(cause, id)}`, { cause });
  }
}

function faultOf(cause: unknown, path: string): string {
  if (cause instanceof UnresolvedValueError) return cause.message;
  if (cause instanceof z.ZodError) {
    return cause.issues
      .map(
        (issue) => `${[path, ...issue.path.map((key) => pascal(String(key)))].join(".")}: ${issue.message}`,
      )
      .join("; ");
  }
  throw cause;
}

/** Leaves out what the schema does not name, at each level, so that nobody needs values for it. */
function pruned(value: Json, schema: z.core.$ZodType): Json {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    return value.map((item) => pruned(item, inner.element));
  }
  if (inner instanceof z.ZodObject && typeof value === "object" && value !== null && !Array.isArray(value)) {
    const entries = Object.entries(value);
    if (entries.length === 1 && entries.some(([key]) => key === "Ref" || key.startsWith("Fn::")))
      return value;
    return Object.fromEntries(
      entries.flatMap(([key, item]) => {
        const field = inner.shape[camel(key)];
        return field === undefined ? [] : [[key, pruned(item, field)]];
      }),
    );
  }
  return value;
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return unwrapped(schema.unwrap());
  if (schema instanceof z.ZodPipe) return unwrapped(schema.in);
  return schema;
}

/** The API's names from CloudFormation's. The keys of these maps are the users' own and stay as they are. */
const MAPS: ReadonlySet<string> = new Set(["Parameters", "Tags"]);

function camelised(
  properties: Json,
  { lookup, path }: { readonly lookup: Lookup; readonly path: string },
): Json {
  const rename = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(rename);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [camel(key), MAPS.has(key) ? item : rename(item)]),
    );
  };
  return rename(resolveIntrinsics(properties, { lookup, path }) ?? {});
}

function camel(name: string): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}

function pascal(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

function unique<T extends { readonly name: string }>(kind: string, all: readonly T[]): readonly T[] {
  const seen = new Set<string>();
  for (const { name } of all) {
    if (seen.has(name)) throw new BatchSetupError(`two templates declare the ${kind} ${name}`);
    seen.add(name);
  }
  return all;
}
