import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { ComputePool } from "../../shared/adapters/local/compute-pool.ts";
import { datasetRequestSchema } from "../../shared/contracts/dataset-request.ts";
import { evidenceRecord } from "../../shared/contracts/evidence.ts";
import { trajectoryKey } from "../../shared/contracts/keys.ts";
import { forget } from "../../shared/stages/forget.ts";
import { recordId } from "../../shared/trajectory/identity.ts";
import { chatRow } from "../factories/logs.ts";
import { type Fault, makePipeline, type Pipeline, type Stage } from "../factories/pipeline.ts";
import { makePlan } from "../factories/plan.ts";
import { createRandom } from "../fuzz/random.ts";
import { dataset, FILES, MINUTE, rows } from "./pipeline-logs.ts";

/** All that the pipeline left: objects, catalog, events; times and counters of attempts aside. */
async function leftBy({ local, events }: Pipeline): Promise<unknown> {
  const entries: unknown[] = [];
  for await (const { createdAt: _, ...entry } of local.catalog.select({ includeSuperseded: true })) {
    entries.push(entry);
  }
  const objects: [string, string][] = [];
  for await (const { key } of local.store.list("")) {
    objects.push([key, Buffer.from(await local.store.read(key)).toString("base64")]);
  }
  const published = [...new Set(events.map(({ type, resources }) => `${type} ${resources}`))].sort();
  return { entries, objects, published, counted: await local.catalog.scoredCount() };
}

describe("the stages with queues between them", () => {
  it.each([false, true])(
    "take in what is dropped, score it, and export (scored along: %s)",
    async (scoreAlong) => {
      const pipeline = await makePipeline({ datasets: [dataset(8)], scoreAlong });
      for (const [key, content] of FILES) pipeline.put(key, content);
      while (pipeline.queues.ingest.length > 0) {
        await pipeline.handle("ingest", pipeline.queues.ingest.shift() ?? "");
      }
      expect(await pipeline.local.catalog.scoredCount()).toBe(scoreAlong ? 11 : 0);
      await pipeline.drain();
      expect(await pipeline.local.catalog.scoredCount()).toBe(11);
      expect(await pipeline.local.catalog.scoredCount("team")).toBe(9);
      expect(await pipeline.local.catalog.scoredCount("other")).toBe(8);
      expect(pipeline.queues.dead.map((body) => JSON.parse(body).key)).toEqual(["other/bad.json"]);
      expect(pipeline.events.map(({ type, detail }) => [type, detail["name"]])).toEqual([
        ["dataset.published", "sft"],
      ]);
    },
  );

  it("end with the same whatever comes twice, late, out of order or not to its end", async () => {
    // The last export sees all there is, so that its version does not depend on when others ran.
    const undisturbed = await makePipeline({ datasets: [dataset()] });
    for (const [key, content] of FILES) undisturbed.put(key, content);
    await undisturbed.drain();
    await undisturbed.export({});
    const expected = await leftBy(undisturbed);
    let thrown = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1e6 }), async (seed) => {
        const random = createRandom(seed, 0);
        let faults = 40;
        const fault: Fault = (port, method) => {
          if (faults === 0 || !random.chance(0.03)) return;
          faults -= 1;
          thrown += 1;
          throw new Error(`fault in ${port}.${method}`);
        };
        const scoreAlong = random.chance(0.5);
        const pipeline = await makePipeline({ datasets: [dataset()], fault, scoreAlong });
        for (const [key, content] of FILES) pipeline.put(key, content);
        await disorderly(pipeline, random);
        faults = 0;
        await pipeline.drain();
        await pipeline.export({});
        await pipeline.drain();
        expect(await leftBy(pipeline)).toEqual(expected);
      }),
      { numRuns: 15 },
    );
    expect(thrown).toBeGreaterThan(100);
  }, 120_000);

  it("give a trajectory that was labelled before it was scored to the stage score", async () => {
    const pipeline = await makePipeline({ scoreAlong: true });
    const log = rows(0, 1);
    const id = recordId(Buffer.from(log.trimEnd()), 0);
    const evidence = { schema: "gymline.evidence.v1", judges: [], annotators: ["ann"] };
    await pipeline.local.catalog.ledger.put(evidenceRecord(id), JSON.stringify(evidence), 0);
    pipeline.put("team/a.jsonl", log);
    const [message = ""] = pipeline.queues.ingest.splice(0);
    expect(await pipeline.ingest(message)).toMatchObject({ kind: "read", report: { scored: 0 } });
    expect(pipeline.queues.score).toHaveLength(1);
    await pipeline.drain();
    expect(await pipeline.local.catalog.entry(id)).toMatchObject({ id, scorer: expect.any(String) });
  });

  it("read an object again that was overwritten, and none that is gone", async () => {
    const pipeline = await makePipeline();
    pipeline.put("team/a.jsonl", rows(0, 1));
    pipeline.put("team/a.jsonl", rows(1, 2));
    const [first = "", second = ""] = pipeline.queues.ingest.splice(0);
    expect(await pipeline.ingest(first)).toMatchObject({ kind: "read", report: { records: 2 } });
    expect(await pipeline.ingest(second)).toEqual({ kind: "known" });
    pipeline.put("team/a.jsonl", rows(3, 1));
    expect(await pipeline.ingest(second)).toMatchObject({ kind: "read", report: { records: 1 } });
    pipeline.remove("team/a.jsonl");
    expect(await pipeline.ingest(second)).toEqual({ kind: "gone" });
  });
});

/** Delivers messages in any order, some of them twice; what fails stays in its queue. */
async function disorderly(pipeline: Pipeline, random: ReturnType<typeof createRandom>): Promise<void> {
  for (let step = 0; step < 400; step += 1) {
    const stages = (["ingest", "score", "export"] as const).filter(
      (name) => pipeline.queues[name].length > 0,
    );
    if (stages.length === 0) return;
    const stage: Stage = random.pick(stages);
    const queue = pipeline.queues[stage];
    const index = random.int(queue.length);
    const body = queue[index] ?? "";
    try {
      await pipeline.handle(stage, body);
      if (random.chance(0.8)) queue.splice(queue.indexOf(body), 1);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("fault in")) throw error;
    }
  }
}

describe("a score that comes late", () => {
  it("leaves nothing of a trajectory that was forgotten meanwhile", async () => {
    const pipeline = await makePipeline();
    pipeline.put("team/a.jsonl", rows(0, 1));
    await pipeline.ingest(pipeline.queues.ingest.shift() ?? "");
    const [body = ""] = pipeline.queues.score;
    const { store, catalog } = pipeline.local;
    const { id } = JSON.parse(body);
    const document = await store.read(trajectoryKey(id));
    await forget(id, pipeline.local);
    expect(await pipeline.score(body)).toBe("absent");
    // Another process had read the document just before.
    await store.put(trajectoryKey(id), document);
    expect(await pipeline.score(body)).toBe("absent");
    for await (const { key } of store.list("scores/")) expect(key).toBe("none");
    expect(await catalog.scoredCount()).toBe(0);
  });

  it("is an error where only the document is missing", async () => {
    const pipeline = await makePipeline();
    pipeline.put("team/a.jsonl", rows(0, 1));
    await pipeline.ingest(pipeline.queues.ingest.shift() ?? "");
    const [body = ""] = pipeline.queues.score;
    await pipeline.local.store.remove(trajectoryKey(JSON.parse(body).id));
    await expect(pipeline.score(body)).rejects.toThrow(/no object/);
  });
});

describe("what is too large for a function", () => {
  it("goes to one job, however often its message comes, and to another where that job fails", async () => {
    const pipeline = await makePipeline();
    pipeline.put("team/large.jsonl", rows(0, 3));
    const [body = ""] = pipeline.queues.ingest.splice(0);
    const small = { maxBytes: 10 };
    for (let time = 0; time < 3; time += 1) {
      expect(await pipeline.ingest(body, small)).toEqual({ kind: "handed-over", jobId: "job-1" });
    }
    expect(pipeline.submitted.map(({ command }) => command)).toEqual([
      ["job", "ingest", "--key", "team/large.jsonl"],
    ]);
    for (const next of ["job-2", "job-3"]) {
      pipeline.jobStates.set(`job-${pipeline.submitted.length}`, "FAILED");
      expect(await pipeline.ingest(body, small)).toEqual({ kind: "handed-over", jobId: next });
    }
    pipeline.jobStates.set("job-3", "FAILED");
    await expect(pipeline.ingest(body, small)).rejects.toThrow(/3 jobs failed on team\/large.jsonl/);
    expect(await pipeline.ingest(body)).toMatchObject({ kind: "read", report: { records: 3 } });
  });

  it("goes to a job where the time runs out in the middle, and nothing is lost", async () => {
    const pipeline = await makePipeline();
    pipeline.put("team/slow.jsonl", rows(0, 5));
    const [body = ""] = pipeline.queues.ingest.splice(0);
    let looks = 0;
    const outOfTime = (): boolean => ++looks > 2;
    const result = await pipeline.ingest(body, { outOfTime, maxBytes: 1e9 });
    expect(result).toEqual({ kind: "handed-over", jobId: "job-1" });
    expect(await pipeline.local.catalog.object("team/slow.jsonl")).toBeUndefined();
    await pipeline.ingest(body);
    await pipeline.drain();
    expect(await pipeline.local.catalog.scoredCount()).toBe(5);
  });
});

describe("an export that messages ask for", () => {
  async function filled(threshold?: number): Promise<Pipeline> {
    const pipeline = await makePipeline({ datasets: [dataset(threshold)] });
    pipeline.put("team/a.jsonl", rows(0, 5));
    await pipeline.drain();
    return pipeline;
  }

  it("waits for its turn while another is under way, and has it", async () => {
    const pipeline = await filled();
    let second: unknown;
    const beat = pipeline.export(
      { cause: "request" },
      {
        onProgress: () => {
          second ??= pipeline.export({ cause: "schedule" });
        },
      },
    );
    expect(await beat).toMatchObject({ kind: "written", rows: 5 });
    expect(await second).toEqual({ kind: "waiting" });
    expect(pipeline.queues.export.map((body) => JSON.parse(body).cause)).toEqual(["schedule"]);
    await pipeline.drain();
    expect(pipeline.events).toHaveLength(2);
  });

  it("is not made by one whose lease was taken over meanwhile", async () => {
    const pipeline = await filled();
    let other: unknown;
    const slow = pipeline.export(
      {},
      {
        onProgress: () => {
          if (other !== undefined) return;
          pipeline.now += 11 * MINUTE;
          other = pipeline.export({}, { holder: "other" });
        },
      },
    );
    await expect(slow).rejects.toThrow(/lease/);
    expect(await other).toMatchObject({ kind: "written" });
  });

  it("is not due again before its threshold is reached again", async () => {
    const pipeline = await filled(5);
    expect(pipeline.events).toHaveLength(1);
    expect(await pipeline.export({ cause: "threshold" })).toEqual({ kind: "not-due" });
    pipeline.put("team/b.jsonl", rows(10, 4));
    await pipeline.drain();
    expect(pipeline.events).toHaveLength(1);
    pipeline.put("team/c.jsonl", rows(20, 1));
    await pipeline.drain();
    expect(pipeline.events.map(({ detail }) => detail["rows"])).toEqual([5, 10]);
  });

  it("goes to a job where it has too many rows, or rows of logs that are too large", async () => {
    for (const limit of [{ maxRows: 4 }, { maxBytes: 1000 }]) {
      const pipeline = await filled();
      const result = await pipeline.export({}, limit);
      expect(result).toEqual({ kind: "handed-over", jobId: "job-1" });
      const [, , , message] = pipeline.submitted[0]?.command ?? [];
      expect(await pipeline.export(JSON.parse(message ?? ""), { maxRows: 5 })).toMatchObject({
        kind: "written",
        rows: 5,
      });
    }
  });

  it.each([
    ["trl-dpo", 2],
    ["grpo-offline", 4],
    ["verl-rl", 2],
    ["knowlyr-grpo", 2],
  ] as const)("goes to a job and is written there for the target %s too", async (target, expected) => {
    const pipeline = await makePipeline();
    for (const task of ["one", "two"]) {
      const attempts = [true, false].map((success) =>
        chatRow({ task, success, calls: [[`try ${success}`, "out"]] }),
      );
      pipeline.put(`team/${task}.jsonl`, `${attempts.join("\n")}\n`);
    }
    await pipeline.drain();
    const request = datasetRequestSchema.parse({ name: "large", target });
    const limits = { maxRows: 3 };
    expect(await pipeline.export({ request }, limits)).toEqual({ kind: "handed-over", jobId: "job-1" });
    const [job, stage, , message] = pipeline.submitted[0]?.command ?? [];
    expect([job, stage]).toEqual(["job", "export"]);
    const compute = new ComputePool({ plan: makePlan(), threads: 2 });
    onTestFinished(() => compute.close());
    const written = await pipeline.export(JSON.parse(message ?? ""), { compute });
    expect(written).toMatchObject({ kind: "written", rows: expected });
  });

  it("waits for scores until their deadline, then takes what has none and says so", async () => {
    const pipeline = await makePipeline();
    pipeline.put("team/a.jsonl", rows(0, 3));
    await pipeline.ingest(pipeline.queues.ingest.shift() ?? "");
    await pipeline.score(pipeline.queues.score.shift() ?? "");
    const request = { ...dataset().request, scoreDeadlineMinutes: 30 };
    expect(await pipeline.export({ request })).toMatchObject({ kind: "written", rows: 1 });
    pipeline.now += 31 * MINUTE;
    const late = await pipeline.export({ request });
    expect(late).toMatchObject({ kind: "written", rows: 3 });
    const version = "version" in late ? late.version : "";
    const manifest = await pipeline.local.store.read(`datasets/sft/${version}/manifest.json`);
    expect(JSON.parse(Buffer.from(manifest).toString("utf8")).selection).toMatchObject({ unscored: 2 });
    const row = { ...request, scoreDeadlineMinutes: undefined };
    expect(await pipeline.export({ request: row })).toMatchObject({ rows: 1 });
  });

  it("names the datasets there are where its own is not among them", async () => {
    const pipeline = await filled();
    await expect(pipeline.export({ dataset: "none" })).rejects.toThrow(/no dataset "none": it has sft/);
  });
});
