import { beforeEach, describe, expect, it } from "vitest";
import { readLoop, runId } from "../../shared/loop/loop-record.ts";
import { handleLoopMessage } from "../../shared/stages/loop-queue.ts";
import { chatRow } from "../factories/logs.ts";
import { makeStation, type Station } from "../factories/station.ts";
import { makeWorld, publishedEvent } from "../loop/world.ts";

describe("the queue of the loops", () => {
  let station: Station;
  let version = "";
  beforeEach(async () => {
    station = makeStation();
    station.write("team/one.json", chatRow({ task: "one", prompt: "Do it." }));
    await station.run();
    const result = await station.export({ minReward: 0 });
    if (result.kind === "empty") throw new Error("the dataset is empty");
    version = result.manifest.version;
  });

  /** As EventBridge hands an event over. */
  const event = (type: string, detail: unknown): string =>
    JSON.stringify({ version: "0", id: "e", "detail-type": type, source: "gymline", time: "t", detail });
  const order = (more: object): string => JSON.stringify({ schema: "gymline.loop-message.v1", ...more });

  it("begins a run for a published dataset, and looks at it when its job has ended", async () => {
    const world = makeWorld(station);
    const published = event("dataset.published", publishedEvent({ name: "sft", version }));
    expect(await handleLoopMessage(published, world.ports)).toEqual({
      kind: "dataset",
      dataset: "sft",
      version,
    });
    const state = async () => (await readLoop("agent", world.ports.ledger)).value.active?.state;
    expect(await state()).toBe("training");
    world.jobs.change("job-1", "SUCCEEDED");
    const child = { jobId: "job-1", status: "SUCCEEDED", arrayProperties: { index: 0, size: 2 } };
    await handleLoopMessage(event("Batch Job State Change", child), world.ports);
    expect(await state()).toBe("training");
    const ended = event("Batch Job State Change", { jobId: "job-1", status: "SUCCEEDED", jobName: "x" });
    expect(await handleLoopMessage(ended, world.ports)).toEqual({ kind: "job", job: "job-1" });
    expect(await state()).toBe("evaluating");
  });

  it("makes up for lost events by a look of its own", async () => {
    const world = makeWorld(station);
    const sweep = order({ kind: "sweep" });
    expect(await handleLoopMessage(sweep, world.ports)).toEqual({ kind: "swept", moved: ["agent"] });
    expect(await handleLoopMessage(sweep, world.ports)).toEqual({ kind: "swept", moved: [] });
  });

  it("drives a run again that failed, and says why it does not drive one that did not", async () => {
    const world = makeWorld(station, { policy: { training: { tries: 1 } } });
    await handleLoopMessage(order({ kind: "sweep" }), world.ports);
    world.jobs.change("job-1", "FAILED", { reason: "it broke" });
    await handleLoopMessage(order({ kind: "sweep" }), world.ports);
    const run = runId("agent", { name: "sft", version });
    const again = order({ kind: "redrive", model: "agent", run });
    expect(await handleLoopMessage(again, world.ports)).toMatchObject({ kind: "redriven", run });
    expect(world.jobs.open).toEqual(["job-2"]);
    const other = order({ kind: "redrive", model: "agent", run: "none" });
    expect(await handleLoopMessage(other, world.ports)).toMatchObject({
      kind: "refused",
      reason: expect.stringMatching(/has no run none that has ended/),
    });
  });

  it("does nothing with a message that it does not know", async () => {
    const world = makeWorld(station);
    await expect(handleLoopMessage(event("other.event", {}), world.ports)).rejects.toThrow();
    await expect(handleLoopMessage(order({ kind: "other" }), world.ports)).rejects.toThrow();
    expect((await readLoop("agent", world.ports.ledger)).version).toBe(0);
  });
});
