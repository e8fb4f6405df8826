import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  BatchClient,
  DescribeJobsCommand,
  type JobDetail,
  SubmitJobCommand,
  type SubmitJobCommandInput,
} from "@aws-sdk/client-batch";
import { onTestFinished } from "vitest";
import {
  type BatchRunnerOptions,
  type RunningBatchRunner,
  startBatchRunner,
} from "../../infra/local/batch/runner.ts";
import { temporaryFolder } from "../factories/temporary.ts";

/** What a test changes of the job definition `work`, in CloudFormation's words. */
export interface DefinitionFacts {
  readonly container?: Readonly<Record<string, unknown>>;
  readonly properties?: Readonly<Record<string, unknown>>;
}

export interface TemplateFacts extends DefinitionFacts {
  /** vCPUs of the one compute environment. */
  readonly maxVcpus?: number;
}

/** A template with the definition `work` and the queues `high` and `low` on one compute environment. */
export function batchTemplate({ container, properties, maxVcpus = 16 }: TemplateFacts = {}): object {
  const queue = (name: string, priority: number): object => ({
    Type: "AWS::Batch::JobQueue",
    Properties: {
      JobQueueName: name,
      Priority: priority,
      ComputeEnvironmentOrder: [{ Order: 1, ComputeEnvironment: { Ref: "Machines" } }],
    },
  });
  return {
    Resources: {
      Machines: {
        Type: "AWS::Batch::ComputeEnvironment",
        Properties: {
          ComputeEnvironmentName: "machines",
          Type: "managed",
          ComputeResources: { Type: "SPOT", MaxvCpus: maxVcpus, Subnets: [{ Ref: "Subnet" }] },
        },
      },
      High: queue("high", 10),
      Low: queue("low", 1),
      Work: {
        Type: "AWS::Batch::JobDefinition",
        Properties: {
          JobDefinitionName: "work",
          Type: "container",
          ContainerProperties: {
            Image: "shell:latest",
            JobRoleArn: { "Fn::GetAtt": ["Role", "Arn"] },
            Command: ["true"],
            ResourceRequirements: [
              { Type: "VCPU", Value: "1" },
              { Type: "MEMORY", Value: "64" },
            ],
            ...container,
          },
          ...properties,
        },
      },
    },
  };
}

export interface RunnerFacts extends TemplateFacts {
  readonly stateFolder?: string;
  readonly options?: Partial<BatchRunnerOptions>;
}

/** A runner with its client, over whose end the test need not think. */
export class Bench {
  readonly runner: RunningBatchRunner;
  readonly client: BatchClient;

  constructor(runner: RunningBatchRunner) {
    this.runner = runner;
    this.client = clientOf(runner.url);
  }

  /** Submits a job of `work` to `high`; a text is its shell command. */
  async submit(command: string, more: Partial<SubmitJobCommandInput> = {}): Promise<string> {
    const { jobId } = await this.client.send(
      new SubmitJobCommand({
        jobName: "test",
        jobQueue: "high",
        jobDefinition: "work",
        ...more,
        containerOverrides: { command: [command], ...more.containerOverrides },
      }),
    );
    return jobId ?? "";
  }

  async job(id: string): Promise<JobDetail> {
    const { jobs = [] } = await this.client.send(new DescribeJobsCommand({ jobs: [id] }));
    const [job] = jobs;
    if (job === undefined) throw new Error(`there is no job ${id}`);
    return job;
  }

  /** The job, once it is in one of these states; by default once it has ended. */
  until(id: string, ...statuses: readonly string[]): Promise<JobDetail> {
    const wanted = statuses.length === 0 ? ["SUCCEEDED", "FAILED"] : statuses;
    return eventually(
      () => this.job(id),
      ({ status }) => wanted.includes(status ?? ""),
    );
  }

  /** The job once it has ended, for work that takes longer than half a minute. */
  async ended(id: string): Promise<JobDetail> {
    for (let waits = 0; ; waits += 1) {
      const job = await this.job(id);
      if (job.status === "SUCCEEDED" || job.status === "FAILED") return job;
      if (waits > 1000) throw new Error(`the job has not ended: ${JSON.stringify(job)}`);
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  }

  /** What an attempt wrote, the last one by default. */
  log({ attempts, container }: JobDetail, attempt?: number): string {
    const stream =
      attempt === undefined ? container?.logStreamName : attempts?.[attempt]?.container?.logStreamName;
    return readFileSync(join(this.runner.logFolder, `${stream}.log`), "utf8");
  }
}

/** Runs jobs as processes of `sh -c`, with time-outs and graces short enough for tests. */
export async function startBench({ stateFolder, options, ...template }: RunnerFacts = {}): Promise<Bench> {
  const runner = await startBatchRunner({
    templates: [writeTemplate(batchTemplate(template))],
    stateFolder: stateFolder ?? temporaryFolder("batch"),
    executor: { kind: "process", programs: { "shell:*": ["sh", "-c"] } },
    vcpus: 16,
    memory: 4096,
    minimumTimeout: 1,
    stopTimeout: 1,
    ...options,
  });
  onTestFinished(() => runner.stop());
  return new Bench(runner);
}

export function writeTemplate(template: object): string {
  const path = join(temporaryFolder("batch-template"), "test.template.json");
  writeFileSync(path, JSON.stringify(template));
  return path;
}

export function clientOf(endpoint: string): BatchClient {
  const client = new BatchClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
  });
  onTestFinished(() => client.destroy());
  return client;
}

/** A shell command that runs until it is released. */
export function held(): { readonly command: string; release(): void } {
  const file = join(temporaryFolder("batch-held"), "go");
  return {
    command: `while [ ! -e ${file} ]; do sleep 0.05; done`,
    release: () => writeFileSync(file, ""),
  };
}

/** Whether a process runs; one that has ended and waits for its parent to notice does not. */
export function isAlive(pid: number): boolean {
  const state = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout.trim();
  return state !== "" && !state.startsWith("Z");
}

/** Asks again until the answer holds; fails with the last one after half a minute. */
export async function eventually<T>(ask: () => T | Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  const patience = Date.now() + 30_000;
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    if (Date.now() > patience) throw new Error(`still not there: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
