import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import {
  evaluationKey,
  loopTrainingKey,
  rolloutEpisodeKey,
  rolloutPlanKey,
} from "../../shared/contracts/keys.ts";
import { type LoopRun, loopRunSchema } from "../../shared/contracts/loop.ts";
import { parseRolloutPlan, type RolloutPlan } from "../../shared/contracts/rollout-plan.ts";
import { trainingPlanSchema } from "../../shared/contracts/training-plan.ts";
import { LoopWorksError, rolloutName } from "../../shared/loop/batch-works.ts";
import { readLoop, runId } from "../../shared/loop/loop-record.ts";
import { readLine } from "../../shared/registry/model-line.ts";
import { pairEpisodes } from "../../shared/registry/pair-episodes.ts";
import { promoteModel, registerModel, showModel } from "../../shared/registry/registry.ts";
import { datasetPublished, jobChanged, redriveLoop } from "../../shared/stages/loop.ts";
import { chatRow } from "../factories/logs.ts";
import { makeStation, type Station } from "../factories/station.ts";
import { type BatchWorld, filesOf, makeBatchWorld, taskLines } from "./batch-world.ts";
import { publishedEvent } from "./world.ts";

/** A station with two versions of one dataset, the second with more trajectories. */
async function exported(): Promise<{ readonly station: Station; readonly versions: readonly string[] }> {
  const station = makeStation();
  const versions: string[] = [];
  for (const task of ["one", "two"]) {
    station.write(`team/${task}.json`, chatRow({ task, prompt: `Do ${task}.` }));
    await station.run();
    const result = await station.export({ minReward: 0 });
    if (result.kind === "empty") throw new Error("the dataset is empty");
    versions.push(result.manifest.version);
  }
  return { station, versions };
}

/** A version that somebody brought along. */
const OLD = {
  ...{ name: "agent", version: "old", files: "runs/sft", metrics: {} },
  lineage: {
    ...{ dataset: null, base: null, parent: null, training: null },
    ...{ job: null, algorithm: null, trainer_commit: null },
  },
};

/** Lets all jobs end and tells of it, until nothing is under way any more. */
async function endJobs({ jobs, ports }: BatchWorld): Promise<void> {
  for (let told = 0; told < jobs.submitted.length; ) {
    await jobs.settled();
    told += 1;
    await jobChanged({ jobId: `job-${told}`, status: "SUCCEEDED" }, ports);
  }
}

async function runOf({ ports }: BatchWorld, version: string): Promise<LoopRun> {
  const id = runId("agent", { name: "sft", version });
  const { active } = (await readLoop("agent", ports.ledger)).value;
  if (active?.id === id) return active;
  const bytes = await ports.store.read(`loops/agent/${id}.json`);
  return loopRunSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
}

async function planOf({ store }: BatchWorld, name: string): Promise<RolloutPlan> {
  return parseRolloutPlan(await store.read(rolloutPlanKey(name)), name);
}

async function trainingOf({ store }: BatchWorld, run: LoopRun) {
  const bytes = await store.read(loopTrainingKey(run.model, run.id));
  return trainingPlanSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
}

async function keysOf(store: BatchWorld["store"], prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

describe("a loop whose works are jobs of a deployment", () => {
  let station: Station;
  let first = "";
  let second = "";
  beforeEach(async () => {
    const made = await exported();
    station = made.station;
    [first = "", second = ""] = made.versions;
  });

  it("trains, evaluates by an array job that drops no log, promotes, and drops the champion's rollouts", async () => {
    const world = makeBatchWorld(station);
    await datasetPublished(publishedEvent({ name: "sft", version: first }), world.ports);
    await endJobs(world);
    const run = await runOf(world, first);
    expect(run).toMatchObject({ state: "promoted", champion: null });
    const name = rolloutName(run, run.version);
    expect(world.jobs.submitted.map(({ name: job, arraySize }) => [job, arraySize])).toEqual([
      [`train-sft-${run.version}`, undefined],
      [`rollout-${name}`, 4],
      [`rollout-loop-${run.id}-collect`, undefined],
    ]);
    const training = await trainingOf(world, run);
    expect(training).toMatchObject({
      output: `s3://store/models/agent/${run.version}`,
      options: { epochs: 2, export: "onnx", model: "tiny/model", data: `s3://store/datasets/sft/${first}` },
    });
    const { facts, state } = await showModel({ name: "agent", version: run.version ?? "" }, world.ports);
    expect([state, facts]).toMatchObject([
      "champion",
      { files: filesOf(run.version), metrics: { loss: 0.5 }, lineage: { trainer_commit: "c0ffee" } },
    ]);
    expect(await world.store.exists(evaluationKey(run.evaluation ?? ""))).toBe(true);
    const folder = `team/rollouts/loop-${run.id}-collect/`;
    expect(await keysOf(world.drop, "")).toEqual([0, 1, 2].map((index) => `${folder}train-${index}.0.json`));
  });

  it("evaluates candidate and champion on the same tasks with the same seeds, from where the champion was trained on", async () => {
    const world = makeBatchWorld(station, { promotion: { first: { least: 0.3 }, minimumEpisodes: 20 } });
    await datasetPublished(publishedEvent({ name: "sft", version: first }), world.ports);
    await endJobs(world);
    const champion = (await runOf(world, first)).version;
    world.skills.set(filesOf(champion), 0.4);
    await datasetPublished(publishedEvent({ name: "sft", version: second }), world.ports);
    await endJobs(world);
    const run = await runOf(world, second);
    expect(run).toMatchObject({ state: "promoted", champion, parent: champion });
    expect((await trainingOf(world, run)).options["model"]).toBe(`s3://store/${filesOf(champion)}/model`);
    const [mine, theirs] = await Promise.all(
      [run.version, champion].map((version) => planOf(world, rolloutName(run, version))),
    );
    expect(mine?.agent).toMatchObject({ kind: "onnx", model: filesOf(run.version) });
    expect(theirs?.agent).toMatchObject({ kind: "onnx", model: filesOf(champion) });
    const shared = ({ tasks, seed, attempts, env }: RolloutPlan) => [tasks.sha256, seed, attempts, env];
    expect(mine && shared(mine)).toEqual(theirs && shared(theirs));
    expect((await readLine("agent", world.ports.ledger))?.champion).toBe(run.version);
  });

  it("lets the champion attempt what the candidate did, although other tasks are deployed meanwhile", async () => {
    const world = makeBatchWorld(station);
    await datasetPublished(publishedEvent({ name: "sft", version: first }), world.ports);
    await endJobs(world);
    const run = await runOf(world, first);
    const [deployed] = world.loops;
    if (deployed === undefined) throw new Error("there is no loop");
    const tasks = { ...deployed.tasks, evaluate: taskLines(3, "other") };
    world.loops[0] = { loop: deployed.loop, tasks };
    const other = "0".repeat(12);
    await registerModel({ ...OLD, version: other, files: filesOf(run.version) }, world.ports);
    await world.works.submit("champion", { ...run, champion: other });
    await world.jobs.settled();
    const { candidate, champion, planned } = await world.works.evaluated({ ...run, champion: other });
    expect(pairEpisodes({ candidate, champion: champion ?? [], planned }).data.verdict).toBe("pass");
    expect(champion).toHaveLength(80);
  });

  it("rejects a candidate that does worse, and collects nothing with it", async () => {
    const world = makeBatchWorld(station);
    await datasetPublished(publishedEvent({ name: "sft", version: first }), world.ports);
    await endJobs(world);
    const champion = (await runOf(world, first)).version;
    const before = world.jobs.submitted.length;
    await datasetPublished(publishedEvent({ name: "sft", version: second }), world.ports);
    await world.jobs.settled();
    world.skills.set(filesOf((await trainingOf(world, await runOf(world, second))).run), 0.5);
    await endJobs(world);
    expect(await runOf(world, second)).toMatchObject({ state: "rejected", champion });
    expect(world.jobs.submitted.slice(before).map(({ name }) => name.split("-")[0])).toEqual([
      "train",
      "rollout",
      "rollout",
    ]);
  });

  it("calls an evaluation invalid whose failed children left too much undone, and goes on with that alone when it is redriven", async () => {
    const world = makeBatchWorld(station, { evaluation: { tries: 1 } });
    world.broken.set(2, Number.POSITIVE_INFINITY);
    await datasetPublished(publishedEvent({ name: "sft", version: first }), world.ports);
    await endJobs(world);
    const stopped = await runOf(world, first);
    expect(stopped).toMatchObject({ state: "invalid", reason: expect.stringMatching(/failed/) });
    expect(world.events.published.map(({ type }) => type)).toContain("loop.stopped");
    const name = rolloutName(stopped, stopped.version);
    const done = await keysOf(world.store, `rollouts/${name}/episodes/`);
    expect(done).toHaveLength(60);
    const before = await Promise.all(done.map((key) => world.store.read(key)));
    world.broken.clear();
    await redriveLoop({ model: "agent", run: stopped.id }, world.ports);
    await endJobs(world);
    expect(await runOf(world, first)).toMatchObject({ state: "promoted", redrives: 1 });
    expect(await Promise.all(done.map((key) => world.store.read(key)))).toEqual(before);
    expect(await keysOf(world.store, `rollouts/${name}/episodes/`)).toHaveLength(80);
  });

  it("goes on after a child that failed where there is another try", async () => {
    const world = makeBatchWorld(station, { evaluation: { tries: 2 } });
    world.broken.set(0, 1);
    await datasetPublished(publishedEvent({ name: "sft", version: first }), world.ports);
    await endJobs(world);
    expect(await runOf(world, first)).toMatchObject({
      state: "promoted",
      steps: { candidate: { tries: 2, ended: "succeeded" } },
    });
  });

  it("submits no second job of the same work while one is under way", async () => {
    const world = makeBatchWorld(station);
    const { promise, resolve } = Promise.withResolvers<void>();
    world.gate.open = promise;
    await datasetPublished(publishedEvent({ name: "sft", version: first }), world.ports);
    const run = await runOf(world, first);
    expect(await world.works.submit("train", run)).toEqual({ job: "job-1" });
    resolve();
    await world.jobs.settled();
    expect(await world.works.submit("train", run)).toEqual({ job: null });
    expect(world.jobs.submitted).toHaveLength(1);
  });

  it("says what to do about a champion that no job can read", async () => {
    const world = makeBatchWorld(station);
    await registerModel(OLD, world.ports);
    const word = { by: "ann", reason: "by hand" };
    await promoteModel({ name: "agent", version: "old" }, { word, ports: world.ports });
    const submitted = datasetPublished(publishedEvent({ name: "sft", version: first }), world.ports);
    await expect(submitted).rejects.toThrow(LoopWorksError);
    await expect(submitted).rejects.toThrow(/agent\/old lies in runs\/sft.*copy it to s3:\/\/store\/models/);
  });

  it("has each planned episode once, whatever of them is missing, and those that are as failed", async () => {
    const world = makeBatchWorld(station);
    await datasetPublished(publishedEvent({ name: "sft", version: first }), world.ports);
    await endJobs(world);
    const run = await runOf(world, first);
    const name = rolloutName(run, run.version);
    const ids = (await keysOf(world.store, `rollouts/${name}/episodes/`)).map((key) =>
      key.slice(rolloutEpisodeKey(name, "").length - ".json".length, -".json".length),
    );
    const kept = new Map<string, Uint8Array>();
    for (const id of ids) kept.set(id, await world.store.read(rolloutEpisodeKey(name, id)));
    const property = fc.asyncProperty(fc.uniqueArray(fc.constantFrom(...ids)), async (lost) => {
      for (const id of lost) await world.store.remove(rolloutEpisodeKey(name, id));
      const { candidate, planned } = await world.works.evaluated(run);
      for (const id of lost)
        await world.store.put(rolloutEpisodeKey(name, id), kept.get(id) ?? Buffer.alloc(0));
      expect(pairEpisodes({ candidate, champion: candidate, planned }).data.verdict).toBe("pass");
      expect(planned).toHaveLength(80);
      expect(candidate.filter(({ status }) => status === "failed")).toHaveLength(lost.length);
    });
    await fc.assert(property, { numRuns: 5 });
  });
});
