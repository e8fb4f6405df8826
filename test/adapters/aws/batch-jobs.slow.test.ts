import type { BatchClient } from "@aws-sdk/client-batch";
import { describe, expect, it, onTestFinished } from "vitest";
import { BatchJobs } from "../../../shared/adapters/aws/batch-jobs.ts";
import { clientOf, held, startBench } from "../../local-batch/batch-runner.ts";
import { type FaultRule, startFaultProxy } from "../../local-stack/fault-proxy.ts";
import { COMMANDS, jobsContract } from "../../ports/jobs.contract.ts";

const place = { queue: "high", definition: "work" };

jobsContract("BatchJobs", async () => {
  const { client } = await startBench();
  return { jobs: new BatchJobs({ client, ...place }), held };
});

describe("BatchJobs", () => {
  async function startFaulty(rules: readonly FaultRule[]) {
    const { runner } = await startBench();
    const proxy = await startFaultProxy({ target: runner.url, seed: 5, rules });
    onTestFinished(() => proxy.stop());
    const client: BatchClient = clientOf(proxy.endpoint);
    return { proxy, jobs: new BatchJobs({ client, ...place, tries: { tries: 4, delayMs: 5 } }) };
  }

  const BUSY = { kind: "error", status: 429, code: "TooManyRequestsException" } as const;

  it("waits while Batch is busy", async () => {
    const { proxy, jobs } = await startFaulty([{ fault: BUSY, times: 3 }]);
    const { id } = await jobs.submit({ name: "busy", command: [COMMANDS.succeed] });
    proxy.setRules([{ fault: BUSY, chance: 0.5 }]);
    expect(await jobs.describe([id])).toHaveLength(1);
    proxy.setRules([{ fault: BUSY, times: 3 }]);
    await jobs.cancel(id, "enough");
    expect(proxy.struck.get("error")).toBeGreaterThanOrEqual(6);
  });

  it("does not submit again where it is not known whether the job was taken", async () => {
    const { proxy, jobs } = await startFaulty([{ fault: { kind: "lose-answer" }, times: 1 }]);
    await expect(jobs.submit({ name: "lost", command: [COMMANDS.succeed] })).rejects.toThrow();
    expect(proxy.requests.get("batch POST /v1/submitjob")).toBe(1);
    const found: string[] = [];
    for await (const { name } of jobs.list({ name: "lost" })) found.push(name);
    expect(found).toEqual(["lost"]);
  });
});
