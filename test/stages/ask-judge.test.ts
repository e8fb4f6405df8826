import { describe, expect, it } from "vitest";
import { judgementKey, judgeStateKey } from "../../shared/contracts/keys.ts";
import { judgeMessageSchema } from "../../shared/contracts/messages.ts";
import type { Gate } from "../../shared/judge/config.ts";
import { noteEvidence } from "../../shared/stages/add-evidence.ts";
import { putBatchRecord } from "../../shared/stages/judge/batch-records.ts";
import { noteAsked, noteDone } from "../../shared/stages/judge/judge-state.ts";
import { judgement } from "../factories/evidence.ts";
import { type Fault, makePipeline } from "../factories/pipeline.ts";
import { MINUTE, rows } from "./pipeline-logs.ts";

const JUDGE = "0123456789abcdef";
const ALL: Gate = { kind: "all" };

/** Ids that the judge is asked for, and forgets them. */
function asked({ queues }: { readonly queues: { readonly judge: string[] } }): readonly string[] {
  return queues.judge.splice(0).map((body) => {
    const message = judgeMessageSchema.parse(JSON.parse(body));
    return message.kind === "submit" ? message.id : message.kind;
  });
}

async function ingested(options: { readonly gate?: Gate; readonly fault?: Fault } = {}) {
  const pipeline = await makePipeline({ gate: ALL, ...options });
  pipeline.put("team/a.jsonl", rows(0, 3));
  await pipeline.ingest(pipeline.queues.ingest.shift() ?? "");
  const messages = pipeline.queues.score.splice(0);
  const ids = messages.map((body): string => JSON.parse(body).id);
  const score = async (): Promise<void> => {
    for (const body of messages) await pipeline.score(body);
  };
  return { pipeline, ids, score };
}

describe("a trajectory that was scored", () => {
  it("is sent to the judge where the settings have one", async () => {
    const { pipeline, ids, score } = await ingested();
    await score();
    expect(asked(pipeline)).toEqual(ids);
    const without = await makePipeline();
    without.put("team/a.jsonl", rows(0, 3));
    await without.drain();
    expect(without.queues.judge).toEqual([]);
  });

  it("is not sent where it is not worth the price", async () => {
    const { pipeline, score } = await ingested({ gate: { kind: "band", low: 0, high: 0.01, share: 0 } });
    await score();
    expect(asked(pipeline)).toEqual([]);
  });

  it("is sent again by a message that came twice, until it was asked about or judged", async () => {
    const { pipeline, ids, score } = await ingested();
    await score();
    await score();
    expect(asked(pipeline)).toEqual([...ids, ...ids]);
    const { store, ledger } = { ...pipeline.local, ledger: pipeline.local.catalog.ledger };
    const [first = "", second = "", third = ""] = ids;
    await noteAsked({ id: first, judge: JUDGE, hashes: ["a"] }, store);
    const revision = (await pipeline.local.catalog.entry(second))?.revision ?? "";
    const made = judgement({ trajectory_id: second, revision, steps: [] });
    await store.put(judgementKey(second, JUDGE), Buffer.from(JSON.stringify(made)));
    await noteEvidence({ id: second, judge: JUDGE }, ledger);
    await noteDone({ id: second, judge: JUDGE, revision, failures: 0 }, store);
    await score();
    expect(asked(pipeline)).toEqual([third]);
    expect(await store.exists(judgeStateKey(first, JUDGE))).toBe(true);
  });

  it("is sent by the next delivery where the first was stopped between score and message", async () => {
    let broken = true;
    const fault: Fault = (port, name) => {
      if (port === "queue" && name === "judge" && broken) throw new Error("stopped");
    };
    const { pipeline, ids, score } = await ingested({ fault });
    await expect(score()).rejects.toThrow("stopped");
    broken = false;
    await score();
    expect(asked(pipeline)).toEqual(ids);
  });
});

describe("the sweep of a deployment with a judge", () => {
  it("has batches looked after, and counts those that should have ended long ago", async () => {
    const pipeline = await makePipeline({ gate: ALL });
    const { ledger } = pipeline.local.catalog;
    const record = {
      ...({ schema: "gymline.judge-batch.v1", submission: "submission1", phase: "submitted" } as const),
      ...{ batch: "b", provider: "anthropic", model: "m", requests: 1, trajectories: 1 },
      ...{ at: pipeline.now, run: "r", day: "2026-01-01" },
    };
    await putBatchRecord(record, { ledger, version: 0 });
    expect((await pipeline.sweep()).uncollected).toBe(0);
    expect(asked(pipeline)).toEqual([]);
    pipeline.now += 31 * MINUTE;
    expect((await pipeline.sweep()).uncollected).toBe(0);
    expect(asked(pipeline)).toEqual(["collect"]);
    pipeline.now += 26 * 60 * MINUTE;
    expect((await pipeline.sweep()).uncollected).toBe(1);
  });
});
