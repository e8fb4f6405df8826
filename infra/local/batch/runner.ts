import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { basename, join, resolve } from "node:path";
import { Catalogue } from "./catalogue.ts";
import type { Need } from "./container.ts";
import {
  describeComputeEnvironments,
  describeJobDefinitions,
  describeJobQueues,
  describeJobs,
} from "./describe.ts";
import { openDockerExecutor } from "./docker-executor.ts";
import { BatchSetupError } from "./errors.ts";
import { EventSender, type EventTarget } from "./event-sender.ts";
import type { Executor } from "./executor.ts";
import type { Json } from "./intrinsics.ts";
import { JobTable } from "./job-table.ts";
import { Journal } from "./journal.ts";
import { listJobs } from "./list-jobs.ts";
import { ProcessExecutor } from "./process-executor.ts";
import type { Place } from "./resources.ts";
import { Scheduler } from "./scheduler.ts";
import { type Operation, serve } from "./server.ts";
import { cancelJob, terminateJob } from "./stop-jobs.ts";
import { submitJob } from "./submit-job.ts";
import { type NamedTemplate, readTemplates } from "./template.ts";

/*
 * A local AWS Batch: the real client works against it, and jobs really run, on this machine.
 *
 * What it does NOT cover:
 * - Fair-share scheduling, share identifiers and scheduling priorities; consumable resources; service jobs.
 * - Multi-node jobs, EKS jobs, and ECS jobs of several containers (`ecsProperties`).
 * - Creating or changing definitions, queues and compute environments: they come from templates at the start. The
 *   templates' conditions (`Fn::If`, `Condition`), mappings and dynamic references are not evaluated.
 * - Machines: compute environments only bound vCPUs, and nothing scales, boots or is interrupted. GPUs are not
 *   counted and not handed to containers. Fargate jobs run like all others.
 * - Roles, log drivers, network settings, EFS volumes and devices of a definition, which have no effect. Secrets
 *   come from the variables given to the runner, not from a secret store.
 * - Signatures, permissions and quotas. Finished jobs stay until the state folder goes.
 * - Exact wording of AWS's messages, other than the status reasons that retry strategies look at.
 * - Processes (`--no-docker`) are no sandbox and have no limits but their time: see `process-executor.ts`.
 * - Windows.
 */

/** Runs jobs as containers, or as plain processes. Keys are images or names of definitions; `*` is any text. */
export type ExecutorOptions =
  | {
      readonly kind: "docker";
      readonly images?: Readonly<Record<string, string>>;
      readonly socketPath?: string;
    }
  | { readonly kind: "process"; readonly programs: Readonly<Record<string, readonly string[]>> };

export interface BatchRunnerOptions {
  /** CloudFormation templates in JSON, as `cdk synth` writes them. */
  readonly templates: readonly string[];
  /** Keeps jobs, undelivered events and logs. One runner at a time. */
  readonly stateFolder: string;
  readonly executor: ExecutorOptions;
  /** For `Ref` by `Name`, for `Fn::GetAtt` by `Name.Attribute`, for `Fn::ImportValue` by the export's name. */
  readonly values?: Readonly<Record<string, Json>>;
  /** On loopback; 0, the default, takes a free one. */
  readonly port?: number;
  /** What jobs may use together; by default what the machine has. */
  readonly vcpus?: number;
  /** MiB; by default what the machine has. */
  readonly memory?: number;
  /** Variables that every job gets, `AWS_ENDPOINT_URL` for one. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where state changes go; nowhere by default. */
  readonly events?: EventTarget;
  readonly place?: Place;
  /** Seconds a time-out must have; by default 60, as on AWS. */
  readonly minimumTimeout?: number;
  /** Seconds between SIGTERM and SIGKILL; by default 30, as on AWS. */
  readonly stopTimeout?: number;
}

export interface RunningBatchRunner {
  /** The endpoint for clients of Batch. */
  readonly url: string;
  /** Holds one file for each attempt, `<logStreamName>.log`. */
  readonly logFolder: string;
  /** Stops all jobs; at the next start they are tried again as after the loss of their host. Once is enough. */
  stop(): Promise<void>;
}

/**
 * Starts a Batch runner in this process, with the jobs that an earlier one left in the state folder.
 * @throws BatchSetupError where templates, state folder, Docker or port are not as they should be
 */
export async function startBatchRunner(options: BatchRunnerOptions): Promise<RunningBatchRunner> {
  const {
    place = { region: "us-east-1", account: "000000000000" },
    minimumTimeout = 60,
    stopTimeout = 30,
  } = options;
  const folder = resolve(options.stateFolder);
  const logFolder = join(folder, "logs");
  const now = Date.now;
  const resources = readTemplates({
    templates: options.templates.map(readTemplateFile),
    values: options.values ?? {},
    place,
  });
  mkdirSync(folder, { recursive: true });
  const journal = new Journal(join(folder, "batch.sqlite"), randomUUID());
  try {
    const catalogue = new Catalogue(resources, journal, place);
    const sender =
      options.events === undefined
        ? undefined
        : new EventSender({ target: options.events, journal, region: place.region, now });
    const table = new JobTable({
      journal,
      queueArn: (name) => catalogue.queues.find((queue) => queue.name === name)?.arn ?? name,
      now,
      onEvents: sender === undefined ? null : () => sender.poke(),
    });
    const scheduler = new Scheduler({
      table,
      catalogue,
      executor: await openExecutor(options.executor, { folder, owner: journal.id }),
      host: hostOf(options),
      environment: options.environment ?? {},
      logFolder,
      stopTimeout,
      instance: `i-${journal.id.replaceAll("-", "").slice(0, 17)}`,
      now,
      newId: randomUUID,
    });
    await scheduler.resume();
    const submission = { catalogue, table, place, minimumTimeout, now, newId: randomUUID };
    const operations = new Map<string, Operation>([
      [
        "/v1/submitjob",
        (body) => {
          const answer = submitJob(submission, body);
          scheduler.poke();
          return answer;
        },
      ],
      ["/v1/describejobs", (body) => describeJobs(table, body)],
      ["/v1/listjobs", (body) => listJobs({ table, catalogue }, body)],
      ["/v1/canceljob", (body) => cancelJob({ table, scheduler, now }, body)],
      ["/v1/terminatejob", (body) => terminateJob({ table, scheduler, now }, body)],
      ["/v1/describejobqueues", (body) => describeJobQueues(catalogue, body)],
      ["/v1/describejobdefinitions", (body) => describeJobDefinitions(catalogue, body)],
      ["/v1/describecomputeenvironments", (body) => describeComputeEnvironments(catalogue, body)],
    ]);
    const server = await serve(operations, options.port ?? 0).catch(async (error: unknown) => {
      await scheduler.close();
      throw error;
    });
    sender?.poke();
    const stop = async (): Promise<void> => {
      await server.close();
      await scheduler.close();
      await sender?.close();
      journal.close();
    };
    let stopped: Promise<void> | undefined;
    return {
      url: server.url,
      logFolder,
      stop: () => {
        stopped ??= stop();
        return stopped;
      },
    };
  } catch (error) {
    journal.close();
    throw error;
  }
}

async function openExecutor(
  options: ExecutorOptions,
  { folder, owner }: { readonly folder: string; readonly owner: string },
): Promise<Executor> {
  if (options.kind === "docker") {
    const { images = {}, socketPath } = options;
    return openDockerExecutor({ images, owner, ...(socketPath === undefined ? {} : { socketPath }) });
  }
  const { PATH = "/usr/bin:/bin", HOME = folder } = process.env;
  return new ProcessExecutor({
    programs: options.programs,
    baseEnvironment: { PATH, HOME },
    workFolder: join(folder, "work"),
  });
}

function hostOf({ vcpus, memory }: BatchRunnerOptions): Need {
  return {
    vcpus: vcpus ?? availableParallelism(),
    memory: memory ?? Math.floor(totalmem() / (1024 * 1024)),
  };
}

function readTemplateFile(path: string): NamedTemplate {
  try {
    return { name: basename(path), body: JSON.parse(readFileSync(path, "utf8")) };
  } catch (cause) {
    throw new BatchSetupError(`cannot read ${path} as a template in JSON; run cdk synth first`, { cause });
  }
}
