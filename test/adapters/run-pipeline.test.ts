import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  DropFolderError,
  datasetRequestSchema,
  type Format,
  openForReading,
  pipelinePlan,
  registerFormat,
  runPipeline,
  TrajectoryBuilder,
} from "../../shared/library.ts";
import { chatRow } from "../factories/logs.ts";
import { temporaryFolder } from "../factories/temporary.ts";

const dialogue: Format = {
  name: "test-dialogue",
  description: "one question and one answer",
  version: "1",
  detect: (value) =>
    typeof value === "object" && value !== null && Object.hasOwn(value, "question")
      ? { match: true, variant: "plain" }
      : { match: false, near: 0, missing: ["question"] },
  convert: ({ value, variant }) => {
    const { question, answer } = value as { readonly question: string; readonly answer: string };
    const builder = new TrajectoryBuilder();
    builder.user({ content: question });
    builder.agent({ content: answer });
    builder.outcome.success = true;
    return [builder.build(variant)];
  },
};

function dropOf(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder("pipeline");
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

describe("the pipeline as a library", () => {
  it("takes in a drop folder and writes a dataset with default settings", async () => {
    const drop = dropOf({ "a.json": chatRow({ task: "a" }), "b.json": "{" });
    const out = join(temporaryFolder("pipeline"), "store");
    const { summary, dataset } = await runPipeline({ drop, out, threads: 1 });
    expect([summary.counts.new, summary.rejected]).toEqual([1, 1]);
    expect(dataset?.kind).toBe("written");
    const again = await runPipeline({ drop, out, threads: 1 });
    expect([again.summary.counts.new, again.dataset?.kind]).toEqual([0, "unchanged"]);
  });

  it("writes no dataset where none is asked for, and another where another is", async () => {
    const drop = dropOf({ "a.json": chatRow({ success: false }) });
    const out = join(temporaryFolder("pipeline"), "store");
    const without = await runPipeline({ drop, out, threads: 0, dataset: null });
    expect(without.dataset).toBeUndefined();
    expect(existsSync(join(out, "datasets"))).toBe(false);
    const dataset = datasetRequestSchema.parse({ name: "failed", success: ["false"] });
    const written = await runPipeline({ drop, out, threads: 0, dataset });
    const prefix = written.dataset?.kind === "written" ? written.dataset.prefix : "";
    expect(prefix).toMatch(/^datasets\/failed\//);
    expect(JSON.parse(readFileSync(join(out, prefix, "manifest.json"), "utf8"))).toMatchObject({ rows: 1 });
  });

  it("applies the settings of a plan", async () => {
    const drop = dropOf({ "a.json": chatRow({ prompt: "Badge B-1234" }) });
    const out = join(temporaryFolder("pipeline"), "store");
    const plan = pipelinePlan({ redaction: { custom: [{ name: "BADGE", regex: "B-\\d{4}" }] } });
    await runPipeline({ drop, out, threads: 0, plan });
    const local = openForReading(out);
    const redactions: number[] = [];
    for await (const entry of local.catalog.select({})) redactions.push(entry.redactions);
    await local.close();
    expect(redactions).toHaveLength(1);
    expect(redactions[0]).toBeGreaterThan(0);
  });

  it("reads formats that the calling program registered, without being told to stay in its thread", async () => {
    registerFormat(dialogue);
    const drop = dropOf({ "a.json": '{"question":"Six times seven?","answer":"42"}' });
    const out = join(temporaryFolder("pipeline"), "store");
    const { summary, threads } = await runPipeline({ drop, out });
    expect([summary.counts.new, summary.rejected, threads]).toEqual([1, 0, 0]);
  });

  it("refuses a drop folder that is not there, and a store inside of it", async () => {
    const drop = temporaryFolder("pipeline");
    mkdirSync(join(drop, "inner"));
    await expect(runPipeline({ drop: join(drop, "absent"), out: drop })).rejects.toThrow(DropFolderError);
    for (const out of [drop, join(drop, "inner"), join(drop, "not-yet")]) {
      await expect(runPipeline({ drop, out })).rejects.toThrow(/lies inside the drop folder/);
    }
  });
});
