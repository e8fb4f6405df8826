import { once } from "node:events";
import { request } from "node:http";
import {
  CancelJobCommand,
  ListTagsForResourceCommand,
  SubmitJobCommand,
  type SubmitJobCommandInput,
  TerminateJobCommand,
} from "@aws-sdk/client-batch";
import { describe, expect, it } from "vitest";
import { startBench } from "./batch-runner.ts";

const ARN = "arn:aws:batch:us-east-1:000000000000";

describe("requests that cannot be met", () => {
  const cases: readonly {
    readonly name: string;
    readonly input: Partial<SubmitJobCommandInput>;
    readonly says: string;
  }[] = [
    { name: "an unknown queue", input: { jobQueue: "none" }, says: "JobQueue none not found" },
    {
      name: "an unknown definition",
      input: { jobDefinition: "none" },
      says: "JobDefinition none is not found",
    },
    {
      name: "an unknown revision",
      input: { jobDefinition: "work:7" },
      says: "JobDefinition work:7 is not found",
    },
    { name: "a bad name", input: { jobName: "-x" }, says: "jobName" },
    { name: "an array of one", input: { arrayProperties: { size: 1 } }, says: "2 to 10000" },
    { name: "an array that is too large", input: { arrayProperties: { size: 10_001 } }, says: "2 to 10000" },
    {
      name: "an unknown dependency",
      input: { dependsOn: [{ jobId: "none" }] },
      says: "Job none of dependsOn",
    },
    {
      name: "a sequence without array",
      input: { dependsOn: [{ type: "SEQUENTIAL" }] },
      says: "only array jobs",
    },
    {
      name: "a time-out below the least",
      input: { timeout: { attemptDurationSeconds: 0 } },
      says: "must be 1 at least",
    },
    { name: "too many attempts", input: { retryStrategy: { attempts: 11 } }, says: "retryStrategy.attempts" },
    {
      name: "a reserved variable",
      input: { containerOverrides: { environment: [{ name: "AWS_BATCH_JOB_ID", value: "x" }] } },
      says: "reserved",
    },
    { name: "what the runner does not cover", input: { shareIdentifier: "team" }, says: "does not support" },
  ];

  it.each(cases)("are refused as a client's fault: $name", async ({ input, says }) => {
    const bench = await startBench();
    const sent = bench.submit("true", input);
    await expect(sent).rejects.toMatchObject({
      name: "ClientException",
      $metadata: { httpStatusCode: 400 },
      message: expect.stringContaining(says),
    });
  });

  it("are refused for unknown jobs", async () => {
    const bench = await startBench();
    const input = { jobId: "none", reason: "x" };
    await expect(bench.client.send(new CancelJobCommand(input))).rejects.toThrow("Job none does not exist");
    await expect(bench.client.send(new TerminateJobCommand(input))).rejects.toThrow(
      "Job none does not exist",
    );
  });

  it("wants AWS's least time-out of a minute unless told otherwise", async () => {
    const bench = await startBench({ options: { minimumTimeout: 60 } });
    const sent = bench.submit("true", { timeout: { attemptDurationSeconds: 59 } });
    await expect(sent).rejects.toThrow("must be 60 at least");
  });

  it("are answered by name where the operation is unknown", async () => {
    const bench = await startBench();
    const sent = bench.client.send(new ListTagsForResourceCommand({ resourceArn: "arn:x" }));
    await expect(sent).rejects.toMatchObject({ name: "UnknownOperationException" });
  });

  it("accepts definitions by revision and by ARN", async () => {
    const bench = await startBench();
    for (const jobDefinition of ["work:1", `${ARN}:job-definition/work`, `${ARN}:job-definition/work:1`]) {
      const input = { jobName: "x", jobQueue: "high", jobDefinition };
      expect(await bench.client.send(new SubmitJobCommand(input))).toMatchObject({ jobName: "x" });
    }
  });

  it("refuses what a web page could send: unsigned requests, and other host names", async () => {
    const bench = await startBench();
    const body = JSON.stringify({ jobName: "x", jobQueue: "high", jobDefinition: "work" });
    const unsigned = await fetch(`${bench.runner.url}/v1/submitjob`, { method: "POST", body });
    expect(unsigned.status).toBe(403);
    expect(unsigned.headers.get("x-amzn-errortype")).toBe("MissingAuthenticationTokenException");
    const headers = { host: "rebound.example.com", authorization: "AWS4-HMAC-SHA256 x" };
    const [answer] = await once(
      request(`${bench.runner.url}/v1/submitjob`, { method: "POST", headers }).end(body),
      "response",
    );
    expect(answer).toMatchObject({ statusCode: 403 });
  });
});
