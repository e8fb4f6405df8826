import { ListJobsCommand } from "@aws-sdk/client-batch";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../factories/temporary.ts";
import { held, startBench } from "./batch-runner.ts";

describe("an array job", () => {
  it("runs a child for each index", async () => {
    const bench = await startBench();
    const id = await bench.submit('echo "$AWS_BATCH_JOB_ARRAY_INDEX of $AWS_BATCH_JOB_ARRAY_SIZE"', {
      arrayProperties: { size: 5 },
    });
    const parent = await bench.until(id);
    expect(parent).toMatchObject({
      status: "SUCCEEDED",
      arrayProperties: { size: 5, statusSummary: { SUCCEEDED: 5, FAILED: 0, RUNNING: 0 } },
    });
    for (const index of [0, 1, 2, 3, 4]) {
      const child = await bench.job(`${id}:${index}`);
      expect(child).toMatchObject({ status: "SUCCEEDED", arrayProperties: { index } });
      expect(bench.log(child)).toBe(`${index} of 5\n`);
    }
  });

  it("fails once all children have ended, where one failed", async () => {
    const bench = await startBench();
    const id = await bench.submit("[ $AWS_BATCH_JOB_ARRAY_INDEX -ne 1 ]", { arrayProperties: { size: 3 } });
    expect(await bench.until(id)).toMatchObject({
      status: "FAILED",
      statusReason: "Array Child Job failed",
      arrayProperties: { statusSummary: { SUCCEEDED: 2, FAILED: 1 } },
    });
    expect(await bench.job(`${id}:1`)).toMatchObject({ status: "FAILED", container: { exitCode: 1 } });
  });

  it("waits as PENDING while children run, and lists them", async () => {
    const bench = await startBench();
    const id = await bench.submit("sleep 60", { arrayProperties: { size: 2 } });
    await bench.until(`${id}:1`, "RUNNING");
    expect(await bench.job(id)).toMatchObject({ status: "PENDING" });
    const { jobSummaryList } = await bench.client.send(
      new ListJobsCommand({ arrayJobId: id, jobStatus: "RUNNING" }),
    );
    expect(jobSummaryList?.map(({ jobId }) => jobId)).toEqual([`${id}:0`, `${id}:1`]);
  });

  it("runs its children one after the other where they depend on each other", async () => {
    const bench = await startBench();
    const folder = temporaryFolder("batch-sequence");
    const id = await bench.submit(
      `i=$AWS_BATCH_JOB_ARRAY_INDEX; [ $i -eq 0 ] || [ -e ${folder}/$((i - 1)) ] || exit 1; sleep 0.1; touch ${folder}/$i`,
      { arrayProperties: { size: 4 }, dependsOn: [{ type: "SEQUENTIAL" }] },
    );
    expect(await bench.until(id)).toMatchObject({ status: "SUCCEEDED" });
  });

  it("gives up the rest of a sequence after a failure", async () => {
    const bench = await startBench();
    const id = await bench.submit("[ $AWS_BATCH_JOB_ARRAY_INDEX -lt 1 ]", {
      arrayProperties: { size: 4 },
      dependsOn: [{ type: "SEQUENTIAL" }],
    });
    expect(await bench.until(id)).toMatchObject({
      arrayProperties: { statusSummary: { SUCCEEDED: 1, FAILED: 3 } },
    });
    expect(await bench.job(`${id}:3`)).toMatchObject({ statusReason: "Dependent Job failed", attempts: [] });
  });

  it("waits index by index for another array where it depends on it N to N", async () => {
    const bench = await startBench();
    const first = await bench.submit(
      "case $AWS_BATCH_JOB_ARRAY_INDEX in 0) exit 1;; 1) true;; 2) sleep 60;; esac",
      { arrayProperties: { size: 3 } },
    );
    const second = await bench.submit("true", {
      arrayProperties: { size: 3 },
      dependsOn: [{ jobId: first, type: "N_TO_N" }],
    });
    expect(await bench.until(`${second}:1`)).toMatchObject({ status: "SUCCEEDED" });
    expect(await bench.until(`${second}:0`)).toMatchObject({ statusReason: "Dependent Job failed" });
    expect(await bench.job(`${second}:2`)).toMatchObject({ status: "PENDING" });
  });
});

describe("a job that depends on another", () => {
  it("starts when that one has succeeded", async () => {
    const bench = await startBench();
    const { command, release } = held();
    const first = await bench.submit(command);
    const second = await bench.submit("true", { dependsOn: [{ jobId: first }] });
    await bench.until(second, "PENDING");
    release();
    const after = await bench.until(second);
    expect(after).toMatchObject({ status: "SUCCEEDED", dependsOn: [{ jobId: first }] });
    expect((await bench.job(first)).stoppedAt).toBeLessThanOrEqual(after.startedAt ?? 0);
  });

  it("fails when that one has failed, and so do those that depend on it", async () => {
    const bench = await startBench();
    const first = await bench.submit("sleep 0.2; exit 1");
    const second = await bench.submit("true", { dependsOn: [{ jobId: first }] });
    const third = await bench.submit("true", { dependsOn: [{ jobId: second }] });
    for (const id of [second, third]) {
      expect(await bench.until(id)).toMatchObject({
        status: "FAILED",
        statusReason: "Dependent Job failed",
        attempts: [],
      });
    }
  });

  it("waits for a whole array", async () => {
    const bench = await startBench();
    const array = await bench.submit("sleep 0.2", { arrayProperties: { size: 2 } });
    const job = await bench.until(await bench.submit("true", { dependsOn: [{ jobId: array }] }));
    expect(job.startedAt).toBeGreaterThanOrEqual(
      (await bench.job(array)).stoppedAt ?? Number.POSITIVE_INFINITY,
    );
  });
});
