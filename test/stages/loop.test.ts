import fc from "fast-check";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type LoopEventType, loopEventSchemas } from "../../shared/contracts/events.ts";
import type { LoopRun } from "../../shared/contracts/loop.ts";
import { loopRunSchema } from "../../shared/contracts/loop.ts";
import { readLoop, runId } from "../../shared/loop/loop-record.ts";
import { readLine } from "../../shared/registry/model-line.ts";
import { promoteModel, registerModel } from "../../shared/registry/registry.ts";
import { advanceLoop } from "../../shared/stages/advance-loop.ts";
import { datasetPublished, jobChanged, redriveLoop, sweepLoops } from "../../shared/stages/loop.ts";
import { chatRow } from "../factories/logs.ts";
import { makeStation, type Station } from "../factories/station.ts";
import { makeWorld, publishedEvent, type World } from "../loop/world.ts";

const HOUR = 3_600_000;

/** A station with two versions of one dataset, the second with two more trajectories. */
async function exported(): Promise<{ readonly station: Station; readonly versions: readonly string[] }> {
  const station = makeStation();
  const versions: string[] = [];
  for (const tasks of [
    ["one", "two", "three"],
    ["four", "five"],
  ]) {
    for (const task of tasks) station.write(`team/${task}.json`, chatRow({ task, prompt: `Do ${task}.` }));
    await station.run();
    const result = await station.export({ minReward: 0 });
    if (result.kind === "empty") throw new Error("the dataset is empty");
    versions.push(result.manifest.version);
  }
  return { station, versions };
}

async function run(world: World, version: string): Promise<LoopRun> {
  const id = runId("agent", { name: "sft", version });
  const { active } = (await readLoop("agent", world.ports.ledger)).value;
  if (active?.id === id) return active;
  const bytes = await world.ports.store.read(`loops/agent/${id}.json`);
  return loopRunSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
}

/** Ends all jobs that are open, and tells it. */
async function endJobs(world: World, state: "SUCCEEDED" | "FAILED" = "SUCCEEDED"): Promise<void> {
  for (const id of world.jobs.open) {
    const startedAt = world.time.now();
    world.time.pass(HOUR);
    world.jobs.change(id, state, { startedAt, stoppedAt: world.time.now(), reason: state });
    await jobChanged({ jobId: id, status: state }, world.ports);
  }
}

async function quiet(world: World): Promise<void> {
  for (let round = 0; round < 12; round += 1) {
    world.time.pass(10 * 60_000);
    for (const id of world.jobs.open) world.jobs.change(id, "SUCCEEDED", { startedAt: 0, stoppedAt: HOUR });
    await sweepLoops(world.ports);
  }
}

/** Makes a version "other" of the model the champion. */
async function crownOther({ ports }: World): Promise<void> {
  await registerModel(
    {
      name: "agent",
      version: "other",
      files: "x",
      metrics: {},
      lineage: {
        dataset: null,
        base: null,
        parent: null,
        training: null,
        job: null,
        algorithm: null,
        trainer_commit: null,
      },
    },
    ports,
  );
  await promoteModel({ name: "agent", version: "other" }, { word: { by: "ann", reason: "by hand" }, ports });
}

const types = (world: World): readonly string[] => world.events.published.map(({ type }) => type);

describe("the loop", () => {
  let station: Station;
  let versions: readonly string[];
  const first = (): string => versions[0] ?? "";
  const second = (): string => versions[1] ?? "";
  beforeEach(async () => {
    ({ station, versions } = await exported());
  });

  it("leads from a published dataset to a promoted model, each step told by an event with its schema", async () => {
    const world = makeWorld(station, { collects: true });
    await datasetPublished(publishedEvent({ name: "sft", version: first() }), world.ports);
    expect(await run(world, first())).toMatchObject({ state: "training", dataset: { fresh: 3 } });
    await endJobs(world);
    expect(await run(world, first())).toMatchObject({ state: "evaluating", champion: null });
    await endJobs(world);
    expect(await run(world, first())).toMatchObject({ state: "collecting" });
    await endJobs(world);
    expect(await run(world, first())).toMatchObject({ state: "promoted" });
    expect((await readLine("agent", world.ports.ledger))?.champion).toBe(
      runId("agent", { name: "sft", version: first() }),
    );
    expect(types(world)).toEqual([
      "training.requested",
      "training.submitted",
      "training.finished",
      "model.registered",
      "evaluation.requested",
      "evaluation.finished",
      "model.promoted",
    ]);
    for (const { type, detail } of world.events.published) {
      expect(() => loopEventSchemas[type as LoopEventType].parse(detail)).not.toThrow();
    }
  });

  it("rejects a candidate that is no better, keeps the champion, and tells the dataset's trajectories so", async () => {
    const world = makeWorld(station, {
      skill: (version) => (version === runId("agent", { name: "sft", version: second() }) ? 0.5 : 0.6),
    });
    for (const version of versions) {
      await datasetPublished(publishedEvent({ name: "sft", version }), world.ports);
      await endJobs(world);
      await endJobs(world);
    }
    const rejected = await run(world, second());
    expect(rejected).toMatchObject({ state: "rejected", dataset: { fresh: 2 } });
    expect(rejected.champion).toBe(runId("agent", { name: "sft", version: first() }));
    const line = await readLine("agent", world.ports.ledger);
    expect(line?.champion).toBe(rejected.champion);
    expect(line?.versions[rejected.id]?.state).toBe("rejected");
    const [entry] = await station.select();
    const words = await station.local.catalog.feedbackOf(entry?.id ?? "");
    // Worse at 4 of 40 tasks, and alike at the others.
    expect(words).toContainEqual({ source: `model:agent/${rejected.id}`, score: (40 - 4) / 2 / 40 + 0 });
  });

  it("counts only the end of an array job's parent", async () => {
    const world = makeWorld(station);
    await datasetPublished(publishedEvent({ name: "sft", version: first() }), world.ports);
    const [job = ""] = world.jobs.open;
    world.jobs.change(job, "SUCCEEDED");
    await jobChanged({ jobId: job, status: "FAILED", arrayProperties: { index: 3 } }, world.ports);
    expect((await run(world, first())).state).toBe("training");
    await jobChanged({ jobId: job, status: "SUCCEEDED", arrayProperties: {} }, world.ports);
    expect((await run(world, first())).state).toBe("evaluating");
  });

  it("stands still with an alarm where the training fails for good, and goes on after a redrive", async () => {
    const world = makeWorld(station);
    await datasetPublished(publishedEvent({ name: "sft", version: first() }), world.ports);
    await endJobs(world, "FAILED");
    expect(world.jobs.ids("train")).toHaveLength(2);
    await endJobs(world, "FAILED");
    expect(await run(world, first())).toMatchObject({
      state: "failed",
      reason: expect.stringContaining("failed"),
    });
    expect(types(world).at(-1)).toBe("loop.stopped");
    await redriveLoop(
      { model: "agent", run: runId("agent", { name: "sft", version: first() }) },
      world.ports,
    );
    await endJobs(world);
    await endJobs(world);
    expect(await run(world, first())).toMatchObject({ state: "promoted", redrives: 1 });
    // Both trainings count, the one that was tried twice and the one that came of the redrive.
    expect((await readLoop("agent", world.ports.ledger)).value.spent).toMatchObject([
      { hours: 2 },
      { hours: 1 },
    ]);
    await expect(redriveLoop({ model: "agent", run: "none" }, world.ports)).rejects.toThrow(/no run none/);
  });

  it("calls an evaluation with missing episodes invalid, and evaluates anew after a redrive", async () => {
    let skill: number | "missing" = "missing";
    const world = makeWorld(station, { skill: () => skill });
    await datasetPublished(publishedEvent({ name: "sft", version: first() }), world.ports);
    await endJobs(world);
    await endJobs(world);
    const { id, state } = await run(world, first());
    expect(state).toBe("invalid");
    expect((await readLine("agent", world.ports.ledger))?.versions[id]?.state).toBe("candidate");
    skill = 0.9;
    await redriveLoop({ model: "agent", run: id }, world.ports);
    await endJobs(world);
    expect((await run(world, first())).state).toBe("promoted");
    expect(world.jobs.ids("train")).toHaveLength(1);
    expect((await readLoop("agent", world.ports.ledger)).value.spent).toMatchObject([{ hours: 1 }]);
  });

  it("ends a job that takes too long, and one that waits too long for a machine", async () => {
    for (const startedAt of [0, undefined]) {
      const world = makeWorld(station, { policy: { training: { hours: 2, queueHours: 5 } } });
      await datasetPublished(publishedEvent({ name: "sft", version: first() }), world.ports);
      const [job = ""] = world.jobs.open;
      if (startedAt !== undefined) world.jobs.change(job, "RUNNING", { startedAt: world.time.now() });
      world.time.pass(1.9 * HOUR);
      await sweepLoops(world.ports);
      expect((await run(world, first())).state).toBe("training");
      world.time.pass(4 * HOUR);
      await sweepLoops(world.ports);
      expect(await run(world, first())).toMatchObject({ state: "failed" });
      expect(world.jobs.all.get(job)?.state).toBe("FAILED");
    }
  });

  it("compares with the champion of the day: one that changed meanwhile is evaluated first", async () => {
    const world = makeWorld(station, { skill: (version) => (version === "other" ? 0.2 : 0.9) });
    await datasetPublished(publishedEvent({ name: "sft", version: first() }), world.ports);
    await endJobs(world);
    await crownOther(world);
    await endJobs(world);
    expect(await run(world, first())).toMatchObject({ state: "evaluating", champion: "other" });
    expect(world.jobs.ids("champion")).toHaveLength(1);
    expect(world.jobs.ids("candidate")).toHaveLength(1);
    await endJobs(world);
    expect(await run(world, first())).toMatchObject({ state: "promoted", champion: "other" });
  });

  it("tells the dataset's trajectories what came of it, too, where whoever decided was stopped right after", async () => {
    const world = makeWorld(station, { skill: (version) => (version === "other" ? 0.2 : 0.9) });
    await crownOther(world);
    await datasetPublished(publishedEvent({ name: "sft", version: first() }), world.ports);
    await endJobs(world);
    const { id, champion } = await run(world, first());
    await promoteModel(
      { name: "agent", version: id },
      { word: { by: "gate", reason: "better" }, against: champion, ports: world.ports },
    );
    await endJobs(world);
    expect(await run(world, first())).toMatchObject({ state: "promoted" });
    // Of the version that it trained on.
    const entry = (await station.select()).find(({ taskId }) => taskId === "one");
    const words = await station.local.catalog.feedbackOf(entry?.id ?? "");
    // Better at 28 of 40 tasks, and alike at the others.
    expect(words).toContainEqual({ source: `model:agent/${id}`, score: (28 + 12 / 2) / 40 });
  });

  it("says how the evaluation ended, too, where whoever decided was stopped before he could", async () => {
    for (const { skill, verdict } of [
      { skill: 0.9, verdict: "promote" },
      { skill: 0.01, verdict: "reject" },
    ]) {
      const world = makeWorld(station, { skill: () => skill });
      const { ledger } = world.ports;
      let crashes = 0;
      const put = ledger.put.bind(ledger);
      vi.spyOn(ledger, "put").mockImplementation(async (key, ...others) => {
        const line = await readLine("agent", ledger);
        const isDecided = Object.values(line?.versions ?? {}).some(({ state }) => state !== "candidate");
        if (key !== "loop/agent" || !isDecided || crashes > 0) return put(key, ...others);
        crashes += 1;
        throw new Error("the machine is gone");
      });
      await datasetPublished(publishedEvent({ name: "sft", version: second() }), world.ports);
      await endJobs(world);
      const [job = ""] = world.jobs.open;
      world.jobs.change(job, "SUCCEEDED", { startedAt: 0, stoppedAt: HOUR });
      await expect(sweepLoops(world.ports)).rejects.toThrow("the machine is gone");
      expect(types(world)).not.toContain("evaluation.finished");
      await sweepLoops(world.ports);
      const finished = world.events.published.filter(({ type }) => type === "evaluation.finished");
      expect(finished).toMatchObject([
        { detail: { verdict, version: runId("agent", { name: "sft", version: second() }) } },
      ]);
      const { state, reason } = await run(world, second());
      expect(state).toBe(verdict === "promote" ? "promoted" : "rejected");
      if (verdict === "reject") expect(reason).toContain("not shown");
    }
  });

  it("counts a job that failed as a try, and one that ended with its process only where others may submit too", async () => {
    for (const { isAlone, most } of [{ isAlone: true as const, most: 9 }, { most: 2 }]) {
      const world = makeWorld(station);
      const ports = { ...world.ports, ...(isAlone === undefined ? {} : { isAlone }) };
      await datasetPublished(publishedEvent({ name: "sft", version: second() }), ports);
      for (let killed = 0; killed < 8; killed += 1) {
        for (const id of world.jobs.open) world.jobs.all.delete(id);
        await sweepLoops(ports);
      }
      const { state } = await run(world, second());
      expect(state).toBe(isAlone === true ? "training" : "failed");
      expect(world.jobs.submitted).toBe(most);
      if (isAlone !== true) continue;
      for (let failed = 0; failed < 2; failed += 1) {
        expect((await run(world, second())).state).toBe("training");
        for (const id of world.jobs.open) world.jobs.change(id, "FAILED", { reason: "no memory" });
        await sweepLoops(ports);
      }
      expect(await run(world, second())).toMatchObject({
        state: "failed",
        reason: expect.stringContaining("no memory"),
      });
    }
  });

  it("looks at what a waiting version is made of once, however often it is swept", async () => {
    const world = makeWorld(station, { policy: { retrain: { minimumNew: 1, coolDownHours: 48 } } });
    await datasetPublished(publishedEvent({ name: "sft", version: first() }), world.ports);
    await endJobs(world);
    await endJobs(world);
    await datasetPublished(publishedEvent({ name: "sft", version: second() }), world.ports);
    const { waiting } = (await readLoop("agent", world.ports.ledger)).value;
    expect(waiting).toMatchObject({ version: second(), facts: { fresh: 2 } });
    const read = vi.spyOn(world.ports.store, "read");
    for (let sweep = 0; sweep < 3; sweep += 1) expect(await sweepLoops(world.ports)).toEqual([]);
    expect(read).not.toHaveBeenCalled();
    world.time.pass(48 * HOUR);
    await sweepLoops(world.ports);
    expect(await run(world, second())).toMatchObject({ state: "training", dataset: { fresh: 2 } });
  });

  it("lets the newest version wait while a run is under way, and during cool-down and without budget", async () => {
    const world = makeWorld(station, {
      policy: {
        retrain: { minimumNew: 1, coolDownHours: 48, budget: { hours: 13, days: 10 } },
        training: { hours: 12 },
      },
    });
    await datasetPublished(publishedEvent({ name: "sft", version: first() }), world.ports);
    await datasetPublished(publishedEvent({ name: "sft", version: second() }), world.ports);
    const record = async () => (await readLoop("agent", world.ports.ledger)).value;
    expect((await record()).waiting?.version).toBe(second());
    const [job = ""] = world.jobs.open;
    const startedAt = world.time.now();
    world.time.pass(2 * HOUR);
    world.jobs.change(job, "SUCCEEDED", { startedAt, stoppedAt: startedAt + 2 * HOUR });
    await jobChanged({ jobId: job, status: "SUCCEEDED" }, world.ports);
    await endJobs(world);
    expect(await record()).toMatchObject({
      active: null,
      waiting: { version: second() },
      spent: [{ hours: 2 }],
    });
    // Cool-down is over, but 2 of 13 hours are spent and a training may take 12.
    world.time.pass(48 * HOUR);
    await sweepLoops(world.ports);
    expect((await record()).active).toBeNull();
    world.time.pass(9 * 24 * HOUR);
    await sweepLoops(world.ports);
    expect((await record()).active?.dataset.version).toBe(second());
  });

  it("passes over a version with too little that is new, of too low quality, or older than the last", async () => {
    for (const [retrain, reason] of [
      [{ minimumNew: 4 }, "3 new trajectories are fewer than 4"],
      [{ minimumNew: 1, minimumReward: 1 }, "is below 1"],
      [{ minimumNew: 1, minimumRows: 99 }, "rows are fewer than 99"],
    ] as const) {
      const world = makeWorld(station, { policy: { retrain } });
      await datasetPublished(publishedEvent({ name: "sft", version: first() }), world.ports);
      const { active, skipped } = (await readLoop("agent", world.ports.ledger)).value;
      expect(active).toBeNull();
      expect(skipped?.reason).toContain(reason);
    }
    const world = makeWorld(station);
    for (const version of [second(), first()])
      await datasetPublished(publishedEvent({ name: "sft", version }), world.ports);
    expect((await readLoop("agent", world.ports.ledger)).value.waiting).toBeNull();
  });

  it("finds by the sweep what no event told: a published version, and the end of each job", async () => {
    const world = makeWorld(station);
    await quiet(world);
    expect(await run(world, second())).toMatchObject({ state: "promoted" });
    expect(types(world)).toContain("model.promoted");
  });

  it("publishes an event again that could not go out, before anything else happens", async () => {
    const world = makeWorld(station);
    let broken = true;
    const events = {
      publish: async (all: Parameters<typeof world.events.publish>[0]) => {
        if (broken) throw new Error("the bus is down");
        await world.events.publish(all);
      },
    };
    const ports = { ...world.ports, events };
    await expect(datasetPublished(publishedEvent({ name: "sft", version: first() }), ports)).rejects.toThrow(
      "bus is down",
    );
    expect(world.jobs.open).toEqual([]);
    broken = false;
    await sweepLoops(ports);
    expect(types(world).slice(0, 2)).toEqual(["training.requested", "training.submitted"]);
  });

  it("comes to the same end in whatever order, however often and however incompletely it is told", async () => {
    const action = fc.record({
      kind: fc.constantFrom("published", "job", "advance", "sweep", "pass", "end", "fail"),
      twice: fc.boolean(),
      pick: fc.nat(5),
    });
    const outcomes = fc.constantFrom(
      { skill: 0.9, ends: "promoted" },
      { skill: 0.01, ends: "rejected" },
      { skill: "missing" as const, ends: "invalid" },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 25 }), outcomes, async (actions, { skill, ends }) => {
        const world = makeWorld(station, {
          skill: () => skill,
          policy: { training: { tries: 10 }, evaluation: { tries: 10 } },
        });
        const { ports, jobs, time, policy } = world;
        let failures = 0;
        for (const { kind, twice, pick } of actions) {
          const some = [...jobs.all.keys()][pick % Math.max(1, jobs.all.size)] ?? "none";
          const act = async (): Promise<unknown> => {
            if (kind === "published")
              return datasetPublished(publishedEvent({ name: "sft", version: second() }), ports);
            if (kind === "job") return jobChanged({ jobId: some, status: "SUCCEEDED" }, ports);
            if (kind === "advance") return advanceLoop(policy, ports);
            if (kind === "sweep") return sweepLoops(ports);
            if (kind === "pass") return time.pass(7 * 60_000);
            if (kind === "fail" && failures < 5) {
              failures += 1;
              return jobs.change(some, "FAILED", { startedAt: 0, stoppedAt: 1 });
            }
            return jobs.change(some, "SUCCEEDED", { startedAt: 0, stoppedAt: 1 });
          };
          await Promise.all(twice ? [act(), act(), act()] : [act()]);
          const { value } = await readLoop("agent", ports.ledger);
          const line = await readLine("agent", ports.ledger);
          const champions = Object.values(line?.versions ?? {}).filter(({ state }) => state === "champion");
          expect(champions.length).toBeLessThanOrEqual(1);
          // One job of a kind at a time.
          for (const step of ["train", "candidate"] as const) {
            expect(jobs.ids(step).filter((id) => jobs.open.includes(id)).length).toBeLessThanOrEqual(1);
          }
          expect(value.active?.id ?? runId("agent", { name: "sft", version: second() })).toBe(
            runId("agent", { name: "sft", version: second() }),
          );
        }
        await quiet(world);
        const { value } = await readLoop("agent", ports.ledger);
        expect(value).toMatchObject({
          active: null,
          waiting: null,
          outbox: [],
          trained: { version: second() },
        });
        const over = await run(world, second());
        expect(over.state).toBe(ends);
        expect((await readLine("agent", ports.ledger))?.champion ?? null).toBe(
          ends === "promoted" ? over.id : null,
        );
      }),
      { numRuns: 60 },
    );
  });
});
