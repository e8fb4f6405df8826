import {
  type BatchClient,
  DescribeJobsCommand,
  type JobDetail,
  ListJobsCommand,
  type ListJobsCommandOutput,
  SubmitJobCommand,
  TerminateJobCommand,
} from "@aws-sdk/client-batch";
import type { JobRequest, JobState, JobStatus, Jobs } from "../../ports/jobs.ts";
import { DEFAULT_TRIES, type Tries, tried } from "./back-off.ts";
import { isThrottled, isTransient } from "./service-fault.ts";

/** Ids that one request may describe. */
const DESCRIBED = 100;

/** In the order in which a job goes through them: who lists them in this order misses no job that moves on meanwhile. */
const STATES: readonly JobState[] = [
  "SUBMITTED",
  "PENDING",
  "RUNNABLE",
  "STARTING",
  "RUNNING",
  "SUCCEEDED",
  "FAILED",
];

/**
 * Jobs of one definition in one queue of AWS Batch. Batch forgets a job about a week after it ended. A request whose
 * answer is lost is sent again by the client, so that a job may be submitted twice.
 */
export class BatchJobs implements Jobs {
  readonly #client: BatchClient;
  readonly #queue: string;
  readonly #definition: string;
  readonly #container: string | undefined;
  readonly #tries: Tries;

  /** Queue and definition by name or ARN. `container`: where a job has several, the one that is given the command. */
  constructor(options: {
    readonly client: BatchClient;
    readonly queue: string;
    readonly definition: string;
    readonly container?: string;
    readonly tries?: Tries;
  }) {
    this.#client = options.client;
    this.#queue = options.queue;
    this.#definition = options.definition;
    this.#container = options.container;
    this.#tries = options.tries ?? DEFAULT_TRIES;
  }

  async submit(request: JobRequest): Promise<{ readonly id: string }> {
    const { name, command, environment = {}, arraySize, dependsOn = [] } = request;
    const override = {
      command: [...command],
      environment: Object.entries(environment).map(([name, value]) => ({ name, value })),
    };
    const submission = new SubmitJobCommand({
      jobName: name,
      jobQueue: this.#queue,
      jobDefinition: this.#definition,
      ...(this.#container === undefined
        ? { containerOverrides: override }
        : {
            ecsPropertiesOverride: {
              taskProperties: [{ containers: [{ name: this.#container, ...override }] }],
            },
          }),
      dependsOn: dependsOn.map((jobId) => ({ jobId })),
      ...(arraySize === undefined ? {} : { arrayProperties: { size: arraySize } }),
    });
    // Of a refused request it is known that there is no job; of any other failure it is not.
    const options = { tries: this.#tries, passes: isThrottled };
    const { jobId } = await tried(() => this.#client.send(submission), options);
    if (jobId === undefined) throw new Error(`Batch gave no id for the job ${name}`);
    return { id: jobId };
  }

  async describe(ids: readonly string[]): Promise<readonly JobStatus[]> {
    const found: JobStatus[] = [];
    for (let at = 0; at < ids.length; at += DESCRIBED) {
      const command = new DescribeJobsCommand({ jobs: ids.slice(at, at + DESCRIBED) });
      const { jobs = [] } = await this.#tried(() => this.#client.send(command));
      found.push(...jobs.flatMap(statusOf));
    }
    return found;
  }

  /** A job that Batch tries again goes back from RUNNING to RUNNABLE, and may be missed meanwhile. */
  async *list(filter: { readonly state?: JobState; readonly name?: string }): AsyncIterable<JobStatus> {
    const { state, name } = filter;
    const seen = new Set<string>();
    // With a filter of its own, Batch lists jobs in all states at once.
    const queries = name === undefined ? (state === undefined ? STATES : [state]) : [undefined];
    for (const query of queries) {
      for await (const ids of this.#pages(query, name)) {
        const fresh = ids.filter((id) => !seen.has(id));
        for (const id of fresh) seen.add(id);
        for (const job of await this.describe(fresh)) {
          if ((state === undefined || job.state === state) && (name === undefined || job.name === name))
            yield job;
        }
      }
    }
  }

  async cancel(id: string, reason: string): Promise<void> {
    // Ends what runs and cancels what does not; CancelJob would let a job go on that starts this very moment.
    const command = new TerminateJobCommand({ jobId: id, reason });
    await this.#tried(() => this.#client.send(command));
  }

  async *#pages(
    jobStatus: JobState | undefined,
    name: string | undefined,
  ): AsyncGenerator<readonly string[]> {
    let nextToken: string | undefined;
    do {
      const command = new ListJobsCommand({
        jobQueue: this.#queue,
        nextToken,
        ...(jobStatus === undefined ? {} : { jobStatus }),
        ...(name === undefined ? {} : { filters: [{ name: "JOB_NAME", values: [name] }] }),
      });
      const page: ListJobsCommandOutput = await this.#tried(() => this.#client.send(command));
      yield (page.jobSummaryList ?? []).flatMap(({ jobId }) => jobId ?? []);
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
  }

  #tried<T>(work: () => Promise<T>): Promise<T> {
    return tried(work, { tries: this.#tries, passes: isTransient });
  }
}

function statusOf(job: JobDetail): readonly JobStatus[] {
  const { jobId, jobName, status, statusReason, container, attempts = [] } = job;
  if (jobId === undefined || status === undefined) return [];
  return [
    {
      id: jobId,
      name: jobName ?? "",
      state: status,
      ...(statusReason === undefined ? {} : { reason: statusReason }),
      ...(container?.exitCode === undefined ? {} : { exitCode: container.exitCode }),
      ...(container?.logStreamName === undefined ? {} : { logStream: container.logStreamName }),
      ...(job.createdAt === undefined ? {} : { createdAt: job.createdAt }),
      ...(job.startedAt === undefined ? {} : { startedAt: job.startedAt }),
      ...(job.stoppedAt === undefined ? {} : { stoppedAt: job.stoppedAt }),
      attempts: attempts.length,
    },
  ];
}
