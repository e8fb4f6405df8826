import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { type LocalStore, openForWriting } from "../../shared/adapters/local/local-store.ts";
import {
  modelNameSchema,
  type TrainingRequest,
  trainingJobName,
  trainingPlan,
} from "../../shared/contracts/training-plan.ts";
import { submitTraining, TrainingBusyError } from "../../shared/operations/submit-training.ts";
import { MemoryJobs } from "../factories/memory-jobs.ts";
import { temporaryFolder } from "../factories/temporary.ts";

const REQUEST: TrainingRequest = {
  algorithm: "sft",
  options: { data: "s3://store/datasets/a/1", model: "hub/model", epochs: 2 },
  name: "coder",
  storeBucket: "store",
};
const PLAN = trainingPlan(REQUEST);

async function opened(): Promise<LocalStore> {
  const store = await openForWriting(temporaryFolder("training"));
  onTestFinished(() => store.close());
  return store;
}

describe("the plan of a training run", () => {
  it("has one name however its options are written, and another for each change of it", () => {
    const options = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue(), { maxKeys: 6 });
    fc.assert(
      fc.property(options, fc.string({ minLength: 1 }), (some, extra) => {
        const first = trainingPlan({ ...REQUEST, options: JSON.parse(JSON.stringify(some)) });
        const turned = Object.fromEntries(Object.entries(some).toReversed());
        const second = trainingPlan({ ...REQUEST, options: JSON.parse(JSON.stringify(turned)) });
        expect(second.run).toBe(first.run);
        expect(trainingPlan({ ...REQUEST, options: first.options, name: "other" }).run).not.toBe(first.run);
        expect(trainingPlan({ ...REQUEST, options: first.options, template: extra }).run).not.toBe(first.run);
        expect(trainingPlan({ ...REQUEST, options: first.options, algorithm: "dpo" }).run).not.toBe(
          first.run,
        );
      }),
    );
  });

  it("says where the model and the checkpoints go, and its job bears its name", () => {
    expect(PLAN.output).toBe(`s3://store/models/coder/${PLAN.run}`);
    expect(PLAN.checkpoints).toBe(`s3://store/trainings/${PLAN.run}/checkpoints`);
    expect(trainingJobName(PLAN)).toBe(`train-sft-${PLAN.run}`);
  });

  it("takes names of models that can stand in a key", () => {
    for (const name of ["a", "coder-7b.v2", "a_b"])
      expect(modelNameSchema.safeParse(name).success).toBe(true);
    for (const name of ["", "A", "a/b", "..", ".a", "a-", "a".repeat(65)]) {
      expect(modelNameSchema.safeParse(name).success).toBe(false);
    }
  });
});

describe("submitting a training run", () => {
  it("puts the plan into the store and hands the job its address", async () => {
    const { store, ledger } = await opened();
    const jobs = new MemoryJobs();
    expect(await submitTraining(PLAN, { store, ledger, jobs, place: "s3://store" })).toEqual({
      kind: "submitted",
      job: "job-1",
    });
    expect(jobs.submitted).toEqual([
      { name: trainingJobName(PLAN), command: [`s3://store/trainings/${PLAN.run}/plan.json`] },
    ]);
    const stored = await store.read(`trainings/${PLAN.run}/plan.json`);
    expect(JSON.parse(Buffer.from(stored).toString())).toEqual(PLAN);
  });

  it("follows a job that is under way, and submits a new one once that has failed", async () => {
    const { store, ledger } = await opened();
    const { promise, resolve: fail } = Promise.withResolvers<number>();
    const jobs = new MemoryJobs(() => promise);
    const ports = { store, ledger, jobs, place: "s3://store" };
    await submitTraining(PLAN, ports);
    expect(await submitTraining(PLAN, ports)).toEqual({ kind: "under way", job: "job-1" });
    fail(1);
    await jobs.settled();
    expect(await submitTraining(PLAN, ports)).toEqual({ kind: "submitted", job: "job-2" });
  });

  it("submits nothing where the model is whole, and does where only a part of it is there", async () => {
    const { store, ledger } = await opened();
    const jobs = new MemoryJobs();
    const ports = { store, ledger, jobs, place: "s3://store" };
    await store.put(`models/coder/${PLAN.run}/trained/config.json`, new Uint8Array(1));
    expect((await submitTraining(PLAN, ports)).kind).toBe("submitted");
    await jobs.settled();
    await store.put(`models/coder/${PLAN.run}/manifest.json`, new Uint8Array(1));
    expect(await submitTraining(PLAN, ports)).toEqual({ kind: "done" });
    expect(jobs.submitted).toHaveLength(1);
  });

  it("lets one of several who submit the same run at once do it", async () => {
    const { store, ledger } = await opened();
    const jobs = new MemoryJobs(() => new Promise(() => undefined));
    const ports = { store, ledger, jobs, place: "s3://store" };
    const all = await Promise.allSettled(Array.from({ length: 5 }, () => submitTraining(PLAN, ports)));
    expect(jobs.submitted).toHaveLength(1);
    for (const one of all) {
      if (one.status === "rejected") expect(one.reason).toBeInstanceOf(TrainingBusyError);
    }
  });
});
