import { describe, expect, it } from "vitest";
import type { DatasetRequest } from "../../shared/contracts/dataset-request.ts";
import { EXPORT_FAILED, exportFailedSchema } from "../../shared/contracts/events.ts";
import { exportReportSchema } from "../../shared/contracts/export-report.ts";
import { checksSchema } from "../../shared/dataset/quality/checks.ts";
import { exportState } from "../../shared/stages/export-run.ts";
import { makePipeline, type Pipeline } from "../factories/pipeline.ts";
import { dataset, rows } from "./pipeline-logs.ts";

const REPORT = "failed-exports/sft.report.json";
const TOO_LONG = { checks: checksSchema.parse({ maxTokens: 5 }) };

async function filled(request: Partial<DatasetRequest> = {}): Promise<Pipeline> {
  const known = dataset(5);
  const pipeline = await makePipeline({
    datasets: [{ ...known, request: { ...known.request, ...request } }],
  });
  pipeline.put("team/a.jsonl", rows(0, 5));
  return pipeline;
}

async function keys({ local }: Pipeline, prefix = ""): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { key } of local.store.list(prefix)) found.push(key);
  return found;
}

async function report({ local }: Pipeline) {
  return exportReportSchema.parse(JSON.parse(Buffer.from(await local.store.read(REPORT)).toString("utf8")));
}

describe("an export whose rows fail their checks", () => {
  it("is done: reported, announced and recorded, and not asked for again before the next threshold", async () => {
    const pipeline = await filled(TOO_LONG);
    await pipeline.drain();
    expect(await keys(pipeline, "datasets/")).toEqual([]);
    const why = "a check failed (over-length: 5)";
    expect(await report(pipeline)).toMatchObject({
      dataset: "sft",
      cause: "threshold",
      at: "2026-01-01T00:00:00.000Z",
      reason: "checks",
      why,
      found: { checks: [{ id: "over-length", outcome: "failed", count: 5, threshold: 5 }] },
      remedies: { "over-length": expect.stringContaining("dataset.checks.maxTokens") },
    });
    const [{ type, detail } = { type: "", detail: {} }, ...others] = pipeline.events;
    expect([type, others]).toEqual([EXPORT_FAILED, []]);
    expect(exportFailedSchema.parse(detail)).toEqual({
      schema: "gymline.export-failed.v1",
      name: "sft",
      cause: "threshold",
      reason: "checks",
      why,
      report: REPORT,
    });
    expect(await exportState("sft", pipeline.local.catalog.ledger)).toMatchObject({
      consumed: 5,
      last: { outcome: "failed", cause: "threshold", at: pipeline.now, why },
    });
    expect(await pipeline.export({ cause: "threshold" })).toEqual({ kind: "not-due" });
    expect((await pipeline.sweep()).exports).toBe(0);
    expect(pipeline.events).toHaveLength(1);
  });

  it("is written once that is allowed, and its report goes", async () => {
    const pipeline = await filled(TOO_LONG);
    await pipeline.drain();
    const checks = checksSchema.parse({ maxTokens: 5, allow: ["over-length"] });
    const request = { ...dataset().request, checks };
    expect(await pipeline.export({ request })).toMatchObject({ kind: "written", rows: 5 });
    expect(await keys(pipeline, "failed-exports/")).toEqual([]);
    const { last } = await exportState("sft", pipeline.local.catalog.ledger);
    expect(last).toEqual({ outcome: "written", cause: "request", at: pipeline.now });
  });

  it("in a job, leaves a request of the same dataset free to start another job", async () => {
    const pipeline = await filled(TOO_LONG);
    while (pipeline.queues.ingest.length + pipeline.queues.score.length > 0) {
      const stage = pipeline.queues.ingest.length > 0 ? "ingest" : "score";
      await pipeline.handle(stage, pipeline.queues[stage].shift() ?? "");
    }
    const limit = { maxRows: 2 };
    expect(await pipeline.export({}, limit)).toEqual({ kind: "handed-over", jobId: "job-1" });
    const [, , , message] = pipeline.submitted[0]?.command ?? [];
    expect(await pipeline.export(JSON.parse(message ?? ""))).toMatchObject({ kind: "failed" });
    pipeline.jobStates.set("job-1", "SUCCEEDED");
    // What was wrong may have been mended where neither settings nor counts show it.
    expect(await pipeline.export({}, limit)).toEqual({ kind: "handed-over", jobId: "job-2" });
  });

  it("is tried again where the fault is of the store, and then ends the same", async () => {
    let broken = true;
    const known = dataset(5);
    const pipeline = await makePipeline({
      datasets: [{ ...known, request: { ...known.request, ...TOO_LONG } }],
      fault: (port, method) => {
        if (broken && port === "events" && method === "publish") throw new Error("the bus is away");
      },
    });
    pipeline.put("team/a.jsonl", rows(0, 5));
    await expect(pipeline.drain()).rejects.toThrow("the bus is away");
    expect((await exportState("sft", pipeline.local.catalog.ledger)).last).toBeUndefined();
    broken = false;
    expect(await pipeline.export({ cause: "threshold" })).toMatchObject({ kind: "failed", report: REPORT });
    expect(pipeline.events).toHaveLength(1);
  });
});

describe("an export that has nothing to write", () => {
  it("says why in a report, and is over", async () => {
    const pipeline = await filled({ minReward: 1 });
    await pipeline.drain();
    expect(await report(pipeline)).toMatchObject({
      reason: "empty",
      why: expect.stringMatching(/^nothing was selected of 5 trajectories \(.+: 5\)$/),
      found: { considered: 5 },
    });
    expect(pipeline.events.map(({ type, detail }) => [type, detail["reason"]])).toEqual([
      [EXPORT_FAILED, "empty"],
    ]);
    expect(await pipeline.export({})).toMatchObject({ kind: "empty", report: REPORT });
    expect(await keys(pipeline, "datasets/")).toEqual([]);
  });
});
