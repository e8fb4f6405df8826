import { describe, expect, it } from "vitest";
import { submitRollout } from "../../containers/gymline/rollout-cloud.ts";
import { rolloutPlanSchema } from "../../shared/contracts/rollout-plan.ts";
import { MemoryJobs } from "../factories/memory-jobs.ts";

const plan = (shards: number) =>
  rolloutPlanSchema.parse({
    ...{ schema: "gymline.rollout-plan.v1", run: "r", folder: "default/rollouts/r" },
    createdAt: "2026-01-01T00:00:00.000Z",
    env: { id: "gymline/sandbox", options: {} },
    agent: { kind: "scripted", script: [] },
    tasks: { key: "rollouts/r/tasks.jsonl", count: 9, sha256: "" },
    ...{ attempts: 1, seed: 1, shards, limits: {}, backend: "docker" },
  });

/** As a client of Batch throws it. */
class Refused extends Error {
  override readonly name: string;
  constructor(name: string) {
    super("JobQueue gymline-rollout-gpu not found");
    this.name = name;
  }
}

class Refusing extends MemoryJobs {
  readonly #name: string;
  constructor(name: string) {
    super();
    this.#name = name;
  }
  override async submit(): Promise<never> {
    throw new Refused(this.#name);
  }
}

describe("submitting a rollout", () => {
  it("asks for an array of jobs, and for a single one where there is one shard", async () => {
    const jobs = new MemoryJobs();
    await submitRollout(jobs, plan(3));
    await submitRollout(jobs, plan(1));
    const request = { name: "rollout-r", command: ["job", "rollout", "--run", "r"] };
    expect(jobs.submitted).toEqual([{ ...request, arraySize: 3 }, request]);
  });

  it("says what to switch on where Batch refuses it, and leaves other faults as they are", async () => {
    await expect(submitRollout(new Refusing("ClientException"), plan(1))).rejects.toThrow(
      /not found\): switch them on with batch\.rollouts.*--resume r/,
    );
    await expect(submitRollout(new Refusing("ServerException"), plan(1))).rejects.toThrow(Refused);
  });
});
