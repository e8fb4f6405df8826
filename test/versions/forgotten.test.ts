import { describe, expect, it } from "vitest";
import { datasetRequestSchema } from "../../shared/contracts/dataset-request.ts";
import type { DeployedDataset } from "../../shared/contracts/deployment-config.ts";
import { forget } from "../../shared/stages/forget.ts";
import { manifestKey } from "../../shared/stages/stored-manifest.ts";
import { listVersions } from "../../shared/versions/list-versions.ts";
import { chatRow } from "../factories/logs.ts";
import { makePipeline, type Pipeline } from "../factories/pipeline.ts";
import { sha256 } from "../stages/ingest-helpers.ts";

const DATASETS: readonly DeployedDataset[] = [
  { request: datasetRequestSchema.parse({ split: { train: 1, validation: 0, test: 0 } }) },
];

const LOGS = ["a", "b", "c"].map((task) => chatRow({ task }));
const GONE = sha256(LOGS[0] ?? "");

async function filled(): Promise<Pipeline> {
  const pipeline = await makePipeline({ datasets: DATASETS });
  LOGS.forEach((log, index) => {
    pipeline.put(`team/${index}.json`, log);
  });
  await pipeline.drain();
  return pipeline;
}

async function marks({ local }: Pipeline): Promise<readonly (readonly string[])[]> {
  const found: (readonly string[])[] = [];
  for await (const { forgotten } of listVersions(local)) found.push(forgotten);
  return found;
}

async function inputsOf({ local }: Pipeline, version: string): Promise<string> {
  return Buffer.from(await local.store.read(`datasets/sft/${version}/inputs.jsonl`)).toString("utf8");
}

async function versionOf(pipeline: Pipeline): Promise<string> {
  const result = await pipeline.export({});
  if (!("version" in result)) throw new Error(`no version came of it: ${result.kind}`);
  return result.version;
}

describe("a version that holds a forgotten trajectory", () => {
  it("is marked and stays as it was; the next version leaves it out", async () => {
    const pipeline = await filled();
    const first = await versionOf(pipeline);
    const manifest = manifestKey({ name: "sft", version: first });
    const before = await pipeline.local.store.read(manifest);
    expect(await marks(pipeline)).toEqual([[]]);
    const { datasets } = await forget(GONE, pipeline.local);
    expect(datasets).toEqual([{ name: "sft", version: first, split: "train" }]);
    expect(await marks(pipeline)).toEqual([[GONE]]);
    expect(await pipeline.local.store.read(manifest)).toEqual(before);
    pipeline.now += 1000;
    const next = await versionOf(pipeline);
    expect(next).not.toBe(first);
    expect(await inputsOf(pipeline, first)).toContain(GONE);
    expect(await inputsOf(pipeline, next)).not.toContain(GONE);
    const rows = Buffer.from(await pipeline.local.store.read(`datasets/sft/${next}/train.jsonl`)).toString(
      "utf8",
    );
    expect([rows.includes(GONE), rows.trimEnd().split("\n").length]).toEqual([false, 2]);
    expect(await marks(pipeline)).toEqual([[GONE], []]);
  });

  it("is marked when forgetting is stopped at any call of store and ledger, and a repeat does the rest", async () => {
    let stopped = 0;
    for (let from = 1; ; from += 1) {
      const pipeline = await filled();
      const version = await versionOf(pipeline);
      const { store, catalog, ledger } = pipeline.local;
      let calls = 0;
      const dying = <T extends object>(target: T): T =>
        new Proxy(target, {
          get: (object, name) => {
            const value: unknown = Reflect.get(object, name, object);
            if (typeof value !== "function") return value;
            return (...args: unknown[]) => {
              calls += 1;
              if (calls >= from) throw new Error("killed");
              return Reflect.apply(value, object, args);
            };
          },
        });
      const ports = { store: dying(store), catalog: dying(catalog), ledger: dying(ledger) };
      const outcome = await forget(GONE, ports).catch((error: unknown) => error);
      if (!(outcome instanceof Error)) break;
      stopped += 1;
      await forget(GONE, pipeline.local);
      expect(await marks(pipeline), `stopped at call ${from}`).toEqual([[GONE]]);
      for await (const { key } of store.list("")) {
        if (!key.startsWith("datasets/")) expect(key).not.toContain(GONE);
      }
      expect(await inputsOf(pipeline, await versionOf(pipeline))).not.toContain(GONE);
      expect((await catalog.datasetsOf(GONE)).map((use) => use.version)).toEqual([version]);
    }
    expect(stopped).toBeGreaterThan(8);
  });

  it("is marked too when it is registered only after the trajectory was forgotten", async () => {
    const pipeline = await filled();
    const { catalog } = pipeline.local;
    const late = new Proxy(catalog, {
      get: (object, name) => {
        if (name === "registerDataset") {
          return async (...args: Parameters<typeof catalog.registerDataset>) => {
            await forget(GONE, pipeline.local);
            return object.registerDataset(...args);
          };
        }
        const value: unknown = Reflect.get(object, name, object);
        return typeof value === "function" ? value.bind(object) : value;
      },
    });
    await pipeline.export({}, { catalog: late });
    expect(await marks(pipeline)).toEqual([[GONE]]);
  });
});
