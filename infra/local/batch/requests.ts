import { z } from "zod";
import { containerOverridesSchema } from "./container.ts";
import { ClientException } from "./errors.ts";
import { JOB_STATUSES } from "./job.ts";
import { retryStrategySchema } from "./retry-strategy.ts";

/*
 * The requests of the API, as far as the runner takes them. What it cannot do it refuses rather than ignores: a
 * job that runs here in another way than on AWS would be worse than none.
 */

const refused = z.never("the local runner does not support this").optional();
const dependency = z.object({
  jobId: z.string().optional(),
  type: z.enum(["N_TO_N", "SEQUENTIAL"]).optional(),
});
const maxResults = z.number().int().min(1).optional();
const paging = { maxResults, nextToken: z.string().optional() };

export const submitJobSchema = z.object({
  jobName: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/, "must be 1 to 128 letters, digits, - or _"),
  jobQueue: z.string(),
  jobDefinition: z.string(),
  parameters: z.record(z.string(), z.string()).default({}),
  containerOverrides: containerOverridesSchema.optional(),
  arrayProperties: z
    .object({
      size: z.number().int().min(2, "must be 2 to 10000").max(10_000, "must be 2 to 10000").optional(),
    })
    .optional(),
  dependsOn: z.array(dependency).max(20, "must be 20 jobs at the most").default([]),
  retryStrategy: retryStrategySchema.optional(),
  timeout: z.object({ attemptDurationSeconds: z.number().int().optional() }).optional(),
  tags: z
    .record(z.string(), z.string())
    .refine((tags) => Object.keys(tags).length <= 50, "must be 50 tags at the most")
    .default({}),
  propagateTags: z.boolean().optional(),
  nodeOverrides: refused,
  ecsPropertiesOverride: refused,
  eksPropertiesOverride: refused,
  consumableResourcePropertiesOverride: refused,
  shareIdentifier: refused,
  schedulingPriorityOverride: refused,
});

export const stopJobSchema = z.object({ jobId: z.string().min(1), reason: z.string().min(1).max(1024) });

export const describeJobsSchema = z.object({ jobs: z.array(z.string()).min(1).max(100) });

const textFilter = z.object({
  name: z.enum(["JOB_NAME", "JOB_DEFINITION"]),
  values: z.array(z.string()).length(1),
});
const timeFilter = z.object({
  name: z.enum(["BEFORE_CREATED_AT", "AFTER_CREATED_AT"]),
  values: z.array(z.string().regex(/^\d+$/, "must be a time in milliseconds")).length(1),
});

export const listJobsSchema = z.object({
  jobQueue: z.string().optional(),
  arrayJobId: z.string().optional(),
  multiNodeJobId: refused,
  jobStatus: z.enum(JOB_STATUSES).optional(),
  filters: z
    .array(z.discriminatedUnion("name", [textFilter, timeFilter]))
    .max(1, "only one filter can be used at a time")
    .default([]),
  ...paging,
});

export const describeJobQueuesSchema = z.object({ jobQueues: z.array(z.string()).default([]), ...paging });

export const describeComputeEnvironmentsSchema = z.object({
  computeEnvironments: z.array(z.string()).default([]),
  ...paging,
});

export const describeJobDefinitionsSchema = z.object({
  jobDefinitions: z.array(z.string()).default([]),
  jobDefinitionName: z.string().optional(),
  status: z.string().optional(),
  ...paging,
});

/** @throws ClientException that names the fields at fault */
export function parseRequest<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new ClientException(`Error executing request, Exception : ${faults.join("; ")}`);
}

/**
 * A page of a list that does not change, and the token of the next.
 * @throws ClientException for a token that is none
 */
export function page<T>(
  items: readonly T[],
  {
    maxResults: size = 100,
    nextToken = "0",
  }: { readonly maxResults?: number | undefined; readonly nextToken?: string | undefined },
): { readonly items: readonly T[]; readonly nextToken?: string } {
  const from = Number(nextToken);
  if (!Number.isInteger(from) || from < 0) throw new ClientException("nextToken is not valid");
  const to = from + size;
  return { items: items.slice(from, to), ...(to < items.length ? { nextToken: String(to) } : {}) };
}
