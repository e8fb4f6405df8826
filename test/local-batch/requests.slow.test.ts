import {
  CancelJobCommand,
  DescribeComputeEnvironmentsCommand,
  DescribeJobDefinitionsCommand,
  DescribeJobQueuesCommand,
  DescribeJobsCommand,
  ListJobsCommand,
  paginateListJobs,
  TerminateJobCommand,
} from "@aws-sdk/client-batch";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../factories/temporary.ts";
import { held, startBench } from "./batch-runner.ts";

const ARN = "arn:aws:batch:us-east-1:000000000000";

describe("cancelling and terminating", () => {
  it("cancels a job that waits for room, and it never runs", async () => {
    const bench = await startBench({ maxVcpus: 1 });
    const first = await bench.submit("sleep 60");
    const second = await bench.submit("true");
    await bench.until(second, "RUNNABLE");
    await bench.client.send(new CancelJobCommand({ jobId: second, reason: "not needed" }));
    expect(await bench.job(second)).toMatchObject({
      status: "FAILED",
      statusReason: "not needed",
      isCancelled: true,
      attempts: [],
    });
    expect(await bench.until(first, "RUNNING")).toBeDefined();
  });

  it("does not cancel a job that runs, yet accepts the request", async () => {
    const bench = await startBench();
    const { command, release } = held();
    const id = await bench.submit(command);
    await bench.until(id, "RUNNING");
    await bench.client.send(new CancelJobCommand({ jobId: id, reason: "not needed" }));
    release();
    expect(await bench.until(id)).toMatchObject({ status: "SUCCEEDED" });
  });

  it("terminates a job that runs, and does not try it again", async () => {
    const bench = await startBench();
    const id = await bench.submit("trap 'exit 0' TERM; sleep 60 & wait", { retryStrategy: { attempts: 3 } });
    await bench.until(id, "RUNNING");
    await bench.client.send(new TerminateJobCommand({ jobId: id, reason: "enough" }));
    const job = await bench.until(id);
    expect(job).toMatchObject({ status: "FAILED", statusReason: "enough", isTerminated: true });
    expect(job.attempts).toHaveLength(1);
  });

  it("terminates the children of an array, those that run and those that wait", async () => {
    const bench = await startBench({ maxVcpus: 1 });
    const id = await bench.submit("sleep 60", { arrayProperties: { size: 3 } });
    await bench.until(`${id}:0`, "RUNNING");
    await bench.client.send(new TerminateJobCommand({ jobId: id, reason: "enough" }));
    expect(await bench.until(id)).toMatchObject({ status: "FAILED", statusReason: "enough" });
    expect((await bench.job(`${id}:0`)).attempts).toHaveLength(1);
    expect((await bench.job(`${id}:2`)).attempts).toHaveLength(0);
  });
});

describe("room for jobs", () => {
  /** Writes how many of its kind run when it starts; one file each, so that nothing is lost. */
  const counting = (folder: string): string =>
    `touch ${folder}/$AWS_BATCH_JOB_ARRAY_INDEX; ls ${folder} | wc -l; sleep 1; rm ${folder}/$AWS_BATCH_JOB_ARRAY_INDEX`;

  it.each([
    { name: "vCPUs of the compute environment", facts: { maxVcpus: 2 }, need: [] },
    { name: "vCPUs of the machine", facts: { options: { vcpus: 2 } }, need: [] },
    {
      name: "memory of the machine",
      facts: { options: { memory: 1000 } },
      need: [{ type: "MEMORY" as const, value: "400" }],
    },
  ])("is bounded by the $name", async ({ facts, need }) => {
    const bench = await startBench(facts);
    const id = await bench.submit(counting(temporaryFolder("batch-room")), {
      arrayProperties: { size: 5 },
      containerOverrides: { resourceRequirements: need },
    });
    expect(await bench.until(id)).toMatchObject({ status: "SUCCEEDED" });
    const seen = await Promise.all(
      [0, 1, 2, 3, 4].map(async (index) => Number(bench.log(await bench.job(`${id}:${index}`)))),
    );
    expect(Math.max(...seen)).toBe(2);
  });

  it("goes to the queue of the higher priority first", async () => {
    const bench = await startBench({ maxVcpus: 1 });
    const { command, release } = held();
    await bench.until(await bench.submit(command), "RUNNING");
    const low = await bench.submit("true", { jobQueue: "low" });
    const high = await bench.submit("true", { jobQueue: `${ARN}:job-queue/high` });
    for (const id of [low, high]) await bench.until(id, "RUNNABLE");
    release();
    const [last, first] = [await bench.until(low), await bench.until(high)];
    expect(first.stoppedAt).toBeLessThanOrEqual(last.startedAt ?? 0);
  });

  it("is kept for a large job that waits, from small ones behind it", async () => {
    const bench = await startBench({ maxVcpus: 2 });
    const { command, release } = held();
    await bench.until(await bench.submit(command), "RUNNING");
    const large = await bench.submit("true", {
      containerOverrides: { resourceRequirements: [{ type: "VCPU", value: "2" }] },
    });
    const small = await bench.submit("true");
    for (const id of [large, small]) await bench.until(id, "RUNNABLE");
    release();
    const [behind, before] = [await bench.until(small), await bench.until(large)];
    expect(before.stoppedAt).toBeLessThanOrEqual(behind.startedAt ?? 0);
  });

  it("is never found for a job that is too large, which says so and holds up nobody", async () => {
    const bench = await startBench({ maxVcpus: 2 });
    const large = await bench.submit("true", {
      containerOverrides: { resourceRequirements: [{ type: "VCPU", value: "4" }] },
    });
    await bench.until(await bench.submit("true"));
    const job = await bench.job(large);
    expect(job).toMatchObject({ status: "RUNNABLE" });
    expect(job.statusReason).toContain("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT");
  });
});

describe("descriptions and lists", () => {
  it("shows what a submission overrides, and its tags", async () => {
    const bench = await startBench({
      properties: { Tags: { from: "definition" }, Timeout: { AttemptDurationSeconds: 90 } },
    });
    const id = await bench.submit("true", {
      tags: { by: "test" },
      containerOverrides: { resourceRequirements: [{ type: "MEMORY", value: "128" }] },
    });
    expect(await bench.until(id)).toMatchObject({
      jobArn: `${ARN}:job/${id}`,
      tags: { from: "definition", by: "test" },
      timeout: { attemptDurationSeconds: 90 },
      container: {
        command: ["true"],
        resourceRequirements: [
          { type: "VCPU", value: "1" },
          { type: "MEMORY", value: "128" },
        ],
      },
    });
  });

  it("leaves out jobs that do not exist", async () => {
    const bench = await startBench();
    const { jobs } = await bench.client.send(new DescribeJobsCommand({ jobs: ["none"] }));
    expect(jobs).toEqual([]);
  });

  it("lists a queue's jobs by status, running ones by default, in pages", async () => {
    const bench = await startBench();
    const ended = [await bench.submit("true"), await bench.submit("true"), await bench.submit("true")];
    for (const id of ended) await bench.until(id);
    const running = await bench.submit("sleep 60");
    await bench.until(running, "RUNNING");
    const { jobSummaryList } = await bench.client.send(new ListJobsCommand({ jobQueue: "high" }));
    expect(jobSummaryList?.map(({ jobId }) => jobId)).toEqual([running]);
    const pages: (string | undefined)[][] = [];
    const input = { jobQueue: "high", jobStatus: "SUCCEEDED" as const };
    for await (const page of paginateListJobs({ client: bench.client, pageSize: 2 }, input)) {
      pages.push((page.jobSummaryList ?? []).map(({ jobId }) => jobId));
    }
    expect(pages).toEqual([[ended[2], ended[1]], [ended[0]]]);
  });

  it("filters jobs by name, without regard to case, whatever their status", async () => {
    const bench = await startBench();
    await bench.until(await bench.submit("true", { jobName: "Rollout-1" }));
    await bench.until(await bench.submit("exit 1", { jobName: "rollout-2" }));
    await bench.until(await bench.submit("true", { jobName: "train" }));
    const named = async (value: string): Promise<readonly unknown[]> => {
      const filters = [{ name: "JOB_NAME", values: [value] }];
      const { jobSummaryList = [] } = await bench.client.send(
        new ListJobsCommand({ jobQueue: "high", filters }),
      );
      return jobSummaryList.map(({ jobName }) => jobName);
    };
    expect(await named("ROLLOUT*")).toEqual(["rollout-2", "Rollout-1"]);
    expect(await named("rollout-1")).toEqual(["Rollout-1"]);
  });

  it("describes queues, compute environments and definitions", async () => {
    const bench = await startBench();
    const { jobQueues } = await bench.client.send(new DescribeJobQueuesCommand({ jobQueues: ["high"] }));
    expect(jobQueues).toMatchObject([
      {
        jobQueueArn: `${ARN}:job-queue/high`,
        state: "ENABLED",
        priority: 10,
        computeEnvironmentOrder: [{ order: 1, computeEnvironment: `${ARN}:compute-environment/machines` }],
      },
    ]);
    const { computeEnvironments } = await bench.client.send(new DescribeComputeEnvironmentsCommand({}));
    expect(computeEnvironments).toMatchObject([
      {
        computeEnvironmentName: "machines",
        type: "MANAGED",
        computeResources: { maxvCpus: 16, type: "SPOT" },
      },
    ]);
    const { jobDefinitions } = await bench.client.send(
      new DescribeJobDefinitionsCommand({ jobDefinitionName: "work", status: "ACTIVE" }),
    );
    expect(jobDefinitions).toMatchObject([
      { jobDefinitionArn: `${ARN}:job-definition/work:1`, containerProperties: { image: "shell:latest" } },
    ]);
  });
});
