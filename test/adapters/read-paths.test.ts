import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type PathItem, readPaths } from "../../shared/adapters/local/read-paths.ts";
import { taskSettings } from "../../shared/adapters/local/task-settings.ts";
import { chatRow } from "../factories/logs.ts";
import { makePlan } from "../factories/plan.ts";
import { temporaryFolder } from "../factories/temporary.ts";

async function read(...paths: readonly string[]): Promise<readonly PathItem[]> {
  const { ingest: settings } = await taskSettings(makePlan());
  const items: PathItem[] = [];
  for await (const item of readPaths({ paths, settings })) items.push(item);
  return items;
}

const shown = (item: PathItem): string => {
  if (item.kind === "file") return `file ${item.path}`;
  if (item.kind === "rejected") return `rejected ${item.rejection.source}:${item.rejection.line ?? ""}`;
  return `trajectory ${item.place.source}:${item.place.line ?? ""}`;
};

describe("reading of paths", () => {
  it("yields each file, then what is in it, in the order of the walk", async () => {
    const folder = temporaryFolder("paths");
    mkdirSync(join(folder, "a"));
    writeFileSync(
      join(folder, "a/rows.jsonl"),
      `${chatRow({ task: "1" })}\n{"messages"\n${chatRow({ task: "2" })}\n`,
    );
    writeFileSync(join(folder, "b.json.gz"), gzipSync(chatRow({ task: "3" })));
    const rows = join(folder, "a/rows.jsonl");
    const packed = join(folder, "b.json.gz");
    expect((await read(folder)).map(shown)).toEqual([
      `file ${rows}`,
      `trajectory ${rows}:1`,
      `rejected ${rows}:2`,
      `trajectory ${rows}:3`,
      `file ${packed}`,
      `trajectory ${packed}:1`,
    ]);
  });

  it("names a file as it was given, also where folder and file have one name", async () => {
    const folder = temporaryFolder("paths");
    mkdirSync(join(folder, "same"));
    writeFileSync(join(folder, "same/same"), chatRow());
    const path = join(folder, "same/same");
    expect((await read(join(folder, "same"))).map(shown)).toEqual([`file ${path}`, `trajectory ${path}:1`]);
    expect((await read(path)).map(shown)).toEqual([`file ${path}`, `trajectory ${path}:1`]);
  });

  it("rejects what is not there and goes on with the next path", async () => {
    const folder = temporaryFolder("paths");
    const good = join(folder, "good.json");
    writeFileSync(good, chatRow());
    const absent = join(folder, "absent");
    expect((await read(absent, good)).map(shown)).toEqual([
      `rejected ${absent}:`,
      `file ${good}`,
      `trajectory ${good}:1`,
    ]);
  });

  it("gives trajectories as ingest stores them: redacted and identified", async () => {
    const file = join(temporaryFolder("paths"), "chat.json");
    writeFileSync(file, chatRow({ prompt: "Write to ann@firm.example.com" }));
    const [, item] = await read(file);
    const trajectory = item?.kind === "trajectory" ? item.read.trajectory : undefined;
    expect(trajectory?.extra.gymline.redaction.total).toBeGreaterThan(0);
    expect(JSON.stringify(trajectory)).not.toContain("ann@firm");
  });
});
