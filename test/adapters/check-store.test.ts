import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkStore, isBeingWritten, type StoreProblem } from "../../shared/adapters/local/check-store.ts";
import { openForReading, openForWriting } from "../../shared/adapters/local/local-store.ts";
import { runPipeline } from "../../shared/adapters/local/run-pipeline.ts";
import { chatRow } from "../factories/logs.ts";
import { temporaryFolder } from "../factories/temporary.ts";

async function storeOf(...rows: readonly string[]): Promise<string> {
  const drop = temporaryFolder("drop");
  writeFileSync(join(drop, "rows.jsonl"), rows.join("\n"));
  const out = join(temporaryFolder("check"), "store");
  await runPipeline({ drop, out, threads: 0 });
  return out;
}

async function problemsOf(
  folder: string,
  options: { readonly deep?: boolean; readonly busy?: boolean } = {},
): Promise<readonly StoreProblem[]> {
  const local = openForReading(folder);
  const problems: StoreProblem[] = [];
  const { deep = false, busy = false } = options;
  for await (const problem of checkStore({ local, deep, busy })) problems.push(problem);
  await local.close();
  return problems;
}

describe("a check of a store", () => {
  it("knows whether a process is writing to it", async () => {
    const folder = await storeOf(chatRow());
    expect(isBeingWritten(folder)).toBe(false);
    const writer = openForWriting(folder);
    expect(isBeingWritten(folder)).toBe(true);
    await writer.close();
    expect(isBeingWritten(folder)).toBe(false);
    expect(isBeingWritten(temporaryFolder("check"))).toBe(false);
  });

  it("takes no offence at half-done work while a process is writing", async () => {
    const folder = await storeOf(chatRow());
    mkdirSync(join(folder, "trajectories/ee"), { recursive: true });
    writeFileSync(join(folder, `trajectories/ee/${"e".repeat(64)}.json.zst`), "");
    mkdirSync(join(folder, "datasets/new/0123456789ab"), { recursive: true });
    writeFileSync(join(folder, "datasets/new/0123456789ab/train.jsonl"), "");
    mkdirSync(join(folder, ".tmp"), { recursive: true });
    writeFileSync(join(folder, ".tmp/half"), "");
    expect(await problemsOf(folder, { busy: true })).toEqual([]);
    expect((await problemsOf(folder)).map(({ code }) => code)).toEqual([
      "unfinished-dataset",
      "unknown-document",
      "leftovers",
    ]);
  });

  it("finds attachments that are lost or not what their name says", async () => {
    const image = new Uint8Array(80).fill(7);
    const folder = await storeOf(chatRow({ image }));
    const local = openForReading(folder);
    const blobs: string[] = [];
    for await (const { key } of local.store.list("blobs/")) blobs.push(local.store.pathOf(key));
    await local.close();
    const [blob = ""] = blobs;
    expect(await problemsOf(folder, { deep: true })).toEqual([]);
    writeFileSync(blob, "another picture");
    expect(await problemsOf(folder)).toEqual([]);
    expect((await problemsOf(folder, { deep: true })).map(({ code }) => code)).toEqual(["bad-attachment"]);
    rmSync(blob);
    expect((await problemsOf(folder)).map(({ code }) => code)).toEqual(["missing-attachment"]);
  });
});
