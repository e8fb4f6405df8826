import type { z } from "zod";
import type { Catalogue } from "./catalogue.ts";
import { override } from "./container.ts";
import { ClientException } from "./errors.ts";
import { type ArrayRole, childId, type Dependency, type Job } from "./job.ts";
import type { JobTable } from "./job-table.ts";
import { parseRequest, submitJobSchema } from "./requests.ts";
import { batchArn, type Place } from "./resources.ts";

interface Setting {
  readonly catalogue: Catalogue;
  readonly table: JobTable;
  readonly place: Place;
  /** Seconds; AWS wants 60 at least. */
  readonly minimumTimeout: number;
  readonly now: () => number;
  readonly newId: () => string;
}

type Request = z.output<typeof submitJobSchema>;

/**
 * Takes a job in, with all its children if it is an array.
 * @throws ClientException
 */
export function submitJob(setting: Setting, body: unknown): object {
  const request = parseRequest(submitJobSchema, body);
  const job = jobOf(setting, request);
  setting.table.add([job, ...childrenOf(job, setting.place)]);
  return { jobArn: job.arn, jobName: job.name, jobId: job.id };
}

function jobOf({ catalogue, table, place, minimumTimeout, now, newId }: Setting, request: Request): Job {
  const queue = catalogue.queue(request.jobQueue);
  if (queue.state === "DISABLED") throw new ClientException(`JobQueue ${queue.name} is disabled`);
  const definition = catalogue.definition(request.jobDefinition);
  const timeout = request.timeout?.attemptDurationSeconds ?? definition.timeout;
  if (timeout !== null && timeout < minimumTimeout) {
    throw new ClientException(`timeout.attemptDurationSeconds must be ${minimumTimeout} at least`);
  }
  const size = request.arrayProperties?.size;
  const role: ArrayRole = size === undefined ? { kind: "single" } : { kind: "parent", size };
  const id = newId();
  return {
    id,
    arn: batchArn(place, `job/${id}`),
    name: request.jobName,
    queue: queue.name,
    definition: definition.arn,
    role,
    dependsOn: request.dependsOn.map((dependency) => dependencyOf(dependency, role, table)),
    container: override(definition.container, request.containerOverrides),
    parameters: { ...definition.parameters, ...request.parameters },
    retryStrategy: request.retryStrategy ?? definition.retryStrategy,
    timeout,
    tags: { ...definition.tags, ...request.tags },
    propagateTags: request.propagateTags ?? definition.propagateTags,
    platformCapabilities: definition.platformCapabilities,
    status: "SUBMITTED",
    attempts: [],
    createdAt: now(),
  };
}

function childrenOf(parent: Job, place: Place): readonly Job[] {
  const { role } = parent;
  if (role.kind !== "parent") return [];
  return Array.from({ length: role.size }, (_, index) => ({
    ...parent,
    id: childId(parent.id, index),
    arn: batchArn(place, `job/${childId(parent.id, index)}`),
    role: { kind: "child", parent: parent.id, index, size: role.size },
    status: "PENDING",
  }));
}

function dependencyOf(
  { jobId, type }: Request["dependsOn"][number],
  role: ArrayRole,
  table: JobTable,
): Dependency {
  if (jobId === undefined) {
    if (type !== "SEQUENTIAL")
      throw new ClientException("a dependency needs a jobId, or the type SEQUENTIAL");
    if (role.kind !== "parent")
      throw new ClientException("only array jobs can depend on themselves in sequence");
    return { type };
  }
  const needed = table.get(jobId);
  if (needed === undefined) throw new ClientException(`Job ${jobId} of dependsOn does not exist`);
  if (type !== "N_TO_N") return { type: "JOB", jobId };
  if (role.kind !== "parent" || needed.role.kind !== "parent" || needed.role.size !== role.size) {
    throw new ClientException("N_TO_N dependencies need two array jobs of the same size");
  }
  return { type, jobId };
}
