import { isDeepStrictEqual } from "node:util";
import { BatchSetupError, ClientException } from "./errors.ts";
import type { Journal } from "./journal.ts";
import {
  batchArn,
  type ComputeEnvironment,
  type DeclaredDefinition,
  type JobDefinition,
  type JobQueue,
  type Place,
} from "./resources.ts";
import type { BatchResources } from "./template.ts";

/** The definitions, queues and compute environments that requests may name. */
export class Catalogue {
  readonly definitions: readonly JobDefinition[];
  readonly queues: readonly JobQueue[];
  readonly computeEnvironments: readonly ComputeEnvironment[];

  /**
   * As on AWS, a definition that changed since the last start becomes a new revision.
   * @throws BatchSetupError where a queue names a compute environment that no template declares
   */
  constructor(resources: BatchResources, journal: Journal, place: Place) {
    for (const declared of resources.definitions) register(journal, declared);
    this.definitions = journal.definitionNames().flatMap((name) => {
      const revisions = journal.revisions(name);
      const declared = resources.definitions.some((definition) => definition.name === name);
      return revisions.map(
        (stored, index): JobDefinition => ({
          ...stored.declared,
          revision: stored.revision,
          arn: batchArn(place, `job-definition/${name}:${stored.revision}`),
          status: declared && index === revisions.length - 1 ? "ACTIVE" : "INACTIVE",
        }),
      );
    });
    this.computeEnvironments = resources.computeEnvironments;
    this.queues = resources.queues.map((queue) => ({
      ...queue,
      computeEnvironments: queue.computeEnvironments.map((named) => {
        const found = this.computeEnvironments.find(({ name, arn }) => name === named || arn === named);
        if (found !== undefined) return found.arn;
        throw new BatchSetupError(
          `job queue ${queue.name} names the compute environment ${named}, which no given template declares`,
        );
      }),
    }));
  }

  /**
   * By name, name with revision, or ARN with or without revision.
   * @throws ClientException
   */
  definition(named: string): JobDefinition {
    const short = named.replace(/^arn:[^/]*:job-definition\//, "");
    const active = this.definitions.filter(({ status }) => status === "ACTIVE");
    const found = active.find(({ name, revision }) => short === name || short === `${name}:${revision}`);
    if (found !== undefined) return found;
    throw new ClientException(`JobDefinition ${named} is not found or not active`);
  }

  /** @throws ClientException */
  queue(named: string): JobQueue {
    const found = this.queues.find(({ name, arn }) => named === name || named === arn);
    if (found !== undefined) return found;
    throw new ClientException(`JobQueue ${named} not found`);
  }
}

function register(journal: Journal, declared: DeclaredDefinition): void {
  const newest = journal.revisions(declared.name).at(-1);
  // Compared as it is stored, where absent and undefined are one.
  const plain: unknown = JSON.parse(JSON.stringify(declared));
  if (isDeepStrictEqual(newest?.declared, plain)) return;
  journal.addRevision((newest?.revision ?? 0) + 1, declared);
}
