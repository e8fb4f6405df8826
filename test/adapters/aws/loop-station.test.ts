import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { loopStation } from "../../../shared/adapters/aws/loop-station.ts";
import { type LoopEnvironment, loopEnvironmentSchema } from "../../../shared/contracts/loop-environment.ts";
import { functionEnvironment } from "../../bench/function-environment.ts";
import { temporaryFolder } from "../../factories/temporary.ts";

const OWN: LoopEnvironment = {
  GYMLINE_LOOP_QUEUE_URL: "http://127.0.0.1:9/loop",
  ...{ GYMLINE_TRAINING_QUEUE: "d-gpu", GYMLINE_TRAINING_DEFINITION: "d-train" },
  ...{ GYMLINE_ROLLOUT_QUEUE: "d-rollout-cpu", GYMLINE_ROLLOUT_DEFINITION: "d-rollout-cpu" },
};
const LOOP = {
  ...{ model: "agent", dataset: "sft", train: { base: "a/model" } },
  evaluate: { env: { id: "e" }, tasks: "held-out.jsonl" },
};

function variables(settings: object): Readonly<Record<string, string | undefined>> {
  const folder = temporaryFolder("station");
  const document = { schema: "gymline.settings.v1", config: {}, ...settings };
  writeFileSync(join(folder, "settings.json"), JSON.stringify(document));
  const access = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
  return { ...functionEnvironment(folder), ...OWN, ...access, AWS_ENDPOINT_URL: "http://127.0.0.1:9" };
}

describe("the station of the loops", () => {
  it("has the policies of the settings, and the queue that its messages come from", async () => {
    const tasks = { evaluate: '{"id":"a","description":"x"}', collect: null };
    const made = await loopStation(variables({ loops: [{ loop: LOOP, tasks }] }));
    onTestFinished(() => made.station.clients.close());
    expect(made.queueUrl).toBe(OWN.GYMLINE_LOOP_QUEUE_URL);
    expect(made.ports.policies).toMatchObject([{ model: "agent", retrain: { minimumNew: 100 } }]);
    expect(made.ports.works.collects).toBe(true);
  });

  it("has none where the settings have none", async () => {
    const made = await loopStation(variables({}));
    onTestFinished(() => made.station.clients.close());
    expect(made.ports.policies).toEqual([]);
  });

  it("says what the environment lacks", async () => {
    for (const name of Object.keys(loopEnvironmentSchema.shape)) {
      const lacking = { ...variables({}), [name]: undefined };
      await expect(loopStation(lacking)).rejects.toThrow(`the environment lacks ${name}`);
    }
  });
});
