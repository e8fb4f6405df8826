import type { Catalogue } from "./catalogue.ts";
import type { JobTable } from "./job-table.ts";
import {
  describeComputeEnvironmentsSchema,
  describeJobDefinitionsSchema,
  describeJobQueuesSchema,
  describeJobsSchema,
  page,
  parseRequest,
} from "./requests.ts";

/** Jobs that do not exist are left out, as on AWS. */
export function describeJobs(table: JobTable, body: unknown): object {
  const { jobs } = parseRequest(describeJobsSchema, body);
  return {
    jobs: jobs
      .map((id) => table.get(id))
      .filter((job) => job !== undefined)
      .map((job) => table.describe(job)),
  };
}

export function describeJobQueues({ queues }: Catalogue, body: unknown): object {
  const { jobQueues, ...paging } = parseRequest(describeJobQueuesSchema, body);
  const { items, nextToken } = page(queues.filter(named(jobQueues)), paging);
  return {
    jobQueues: items.map(({ name, arn, state, priority, computeEnvironments }) => ({
      jobQueueName: name,
      jobQueueArn: arn,
      state,
      status: "VALID",
      statusReason: "JobQueue Healthy",
      priority,
      computeEnvironmentOrder: computeEnvironments.map((computeEnvironment, index) => ({
        order: index + 1,
        computeEnvironment,
      })),
    })),
    nextToken,
  };
}

export function describeComputeEnvironments(catalogue: Catalogue, body: unknown): object {
  const { computeEnvironments, ...paging } = parseRequest(describeComputeEnvironmentsSchema, body);
  const { items, nextToken } = page(catalogue.computeEnvironments.filter(named(computeEnvironments)), paging);
  return {
    computeEnvironments: items.map(({ name, arn, type, state, resourceType, maxVcpus }) => ({
      computeEnvironmentName: name,
      computeEnvironmentArn: arn,
      type,
      state,
      status: "VALID",
      statusReason: "ComputeEnvironment Healthy",
      computeResources: { type: resourceType, maxvCpus: maxVcpus, subnets: [] },
    })),
    nextToken,
  };
}

export function describeJobDefinitions(catalogue: Catalogue, body: unknown): object {
  const request = parseRequest(describeJobDefinitionsSchema, body);
  const wanted = request.jobDefinitions.map((each) => each.replace(/^arn:[^/]*:job-definition\//, ""));
  const found = catalogue.definitions.filter(
    ({ name, revision, status }) =>
      (wanted.length === 0 || wanted.includes(name) || wanted.includes(`${name}:${revision}`)) &&
      (request.jobDefinitionName === undefined || request.jobDefinitionName === name) &&
      (request.status === undefined || request.status === status),
  );
  const { items, nextToken } = page(found, request);
  return {
    jobDefinitions: items.map(({ name, arn, container, timeout, retryStrategy, ...rest }) => ({
      ...rest,
      jobDefinitionName: name,
      jobDefinitionArn: arn,
      type: "container",
      containerProperties: container,
      retryStrategy,
      timeout: timeout === null ? undefined : { attemptDurationSeconds: timeout },
      containerOrchestrationType: "ECS",
    })),
    nextToken,
  };
}

function named(names: readonly string[]): (each: { readonly name: string; readonly arn: string }) => boolean {
  return ({ name, arn }) => names.length === 0 || names.includes(name) || names.includes(arn);
}
