import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { batchTemplate, makeApp, pipelineTemplate } from "./synth.ts";

/** Content hashes change with every change of code; nothing else should change unnoticed. */
function withoutHashes(template: object): string {
  return `${JSON.stringify(template, null, 2).replace(/[0-9a-f]{64}/g, "<hash>")}\n`;
}

/** Hash of every deployed file of a synthesised app by its path: not of notes about where in the code it came from. */
function filesOf(folder: string): Readonly<Record<string, string>> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.name.endsWith(".metadata.json"),
  );
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path.slice(folder.length), createHash("sha256").update(readFileSync(path)).digest("hex")];
    }),
  );
}

describe("the templates", () => {
  it("of the pipeline change only on purpose", async () => {
    const template = pipelineTemplate({
      config: { datasets: [{ request: { name: "daily" }, threshold: 100, schedule: "rate(1 day)" }] },
    });
    await expect(withoutHashes(template.toJSON())).toMatchFileSnapshot("snapshots/pipeline.json");
  });

  it("of Batch change only on purpose", async () => {
    const template = batchTemplate({ config: { batch: { training: {} } } });
    await expect(withoutHashes(template.toJSON())).toMatchFileSnapshot("snapshots/batch.json");
  });

  it("of Batch with rollouts change only on purpose", async () => {
    const template = batchTemplate({ config: { batch: { rollouts: { gpu: { model: "a/model" } } } } });
    await expect(withoutHashes(template.toJSON())).toMatchFileSnapshot("snapshots/rollouts.json");
  });

  it("and the code beside them come out the same when made again, in another folder", () => {
    const [first, second] = [makeApp().app.synth(), makeApp().app.synth()].map(({ directory }) => directory);
    expect(first).not.toBe(second);
    expect(filesOf(second ?? "")).toEqual(filesOf(first ?? ""));
  });

  it("take no look-up, even where account and region are given", () => {
    const { manifest } = makeApp({ config: { account: "123456789012", region: "eu-west-1" } }).app.synth();
    expect(manifest.missing).toBeUndefined();
  });

  it("name no account and no region", () => {
    const text = JSON.stringify([pipelineTemplate().toJSON(), batchTemplate().toJSON()]);
    expect(text).not.toMatch(/\b(?:us|eu|ap)-[a-z]+-\d\b/);
    expect(text).not.toMatch(/(?<![0-9a-f])\d{12}(?![0-9a-f])/);
  });
});
