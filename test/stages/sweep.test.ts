import { describe, expect, it } from "vitest";
import { type Fault, makePipeline } from "../factories/pipeline.ts";
import { dataset, FILES, MINUTE, rows } from "./pipeline-logs.ts";

describe("the sweep", () => {
  it("finds nothing to do after an undisturbed run", async () => {
    const pipeline = await makePipeline({ datasets: [dataset(3)] });
    for (const [key, content] of FILES) pipeline.put(key, content);
    await pipeline.drain();
    await pipeline.export({ cause: "schedule" });
    pipeline.now += 60 * MINUTE;
    for (let time = 0; time < 256; time += 1) {
      expect(await pipeline.sweep()).toEqual({
        ...{ missed: 0, unscored: 0, exports: 0, announced: 0, uncollected: 0, lostJobs: 0 },
        ...{ strays: [], missing: [] },
      });
    }
  });

  it("sends again what was lost on the way: events, scores, exports, announcements", async () => {
    let broken = "";
    const fault: Fault = (port, method) => {
      if (`${port}.${method}` === broken) throw new Error("fault in a port");
    };
    const pipeline = await makePipeline({ datasets: [dataset(2)], fault });
    pipeline.put("team/a.jsonl", rows(0, 3));
    pipeline.queues.ingest.splice(0);
    expect((await pipeline.sweep()).missed).toBe(0);
    pipeline.now += 31 * MINUTE;
    expect((await pipeline.sweep()).missed).toBe(1);
    await pipeline.ingest(pipeline.queues.ingest.shift() ?? "");
    pipeline.queues.score.splice(0);
    pipeline.now += 31 * MINUTE;
    expect((await pipeline.sweep()).unscored).toBe(3);
    for (const body of pipeline.queues.score.splice(0)) await pipeline.score(body);
    pipeline.queues.export.splice(0);
    expect((await pipeline.sweep()).exports).toBe(1);
    broken = "events.publish";
    await expect(pipeline.export({ cause: "threshold" })).rejects.toThrow("fault in a port");
    broken = "";
    pipeline.now += 31 * MINUTE;
    expect((await pipeline.sweep()).announced).toBe(1);
    expect(pipeline.events).toHaveLength(1);
    expect((await pipeline.sweep()).announced).toBe(0);
  });

  it("names documents that the catalog does not know, and rows without their document", async () => {
    const pipeline = await makePipeline();
    pipeline.put("team/a.jsonl", rows(0, 2));
    await pipeline.drain();
    const { store } = pipeline.local;
    const keys: string[] = [];
    for await (const { key } of store.list("trajectories/")) keys.push(key);
    const [first = "", second = ""] = keys;
    const stray = `trajectories/ab/${"ab".repeat(32)}.${first.split(".").slice(1).join(".")}`;
    await store.put(stray, await store.read(second));
    await store.remove(first);
    const found = { strays: [] as string[], missing: [] as string[] };
    for (let time = 0; time < 256; time += 1) {
      const { strays, missing } = await pipeline.sweep();
      found.strays.push(...strays);
      found.missing.push(...missing);
    }
    expect(found).toEqual({ strays: ["ab".repeat(32)], missing: [/\/([0-9a-f]{64})\./.exec(first)?.[1]] });
  });

  it("forgets jobs that Batch does not know any more, so that their work is done again", async () => {
    const pipeline = await makePipeline();
    pipeline.put("team/large.jsonl", rows(0, 3));
    const [body = ""] = pipeline.queues.ingest.splice(0);
    await pipeline.ingest(body, { maxBytes: 10 });
    pipeline.jobStates.delete("job-1");
    pipeline.now += 31 * MINUTE;
    expect(await pipeline.sweep()).toMatchObject({ lostJobs: 1, missed: 1 });
    expect(await pipeline.ingest(body, { maxBytes: 10 })).toEqual({ kind: "handed-over", jobId: "job-2" });
  });
});
