import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../factories/temporary.ts";
import { goodLogs, gymline } from "./program.ts";

interface Diagnosis {
  readonly ok: boolean;
  readonly environment: readonly { readonly name: string; readonly ok: boolean }[];
  readonly problems: readonly { readonly code: string; readonly place: string; readonly remedy: string }[];
}

async function diagnose(
  folder: string,
  ...args: readonly string[]
): Promise<Diagnosis & { readonly code: number | null }> {
  const { code, stdout } = await gymline(["doctor", "--store", folder, "--json", ...args]);
  return { code, ...(JSON.parse(stdout) as Diagnosis) };
}

async function store(): Promise<{ readonly folder: string; readonly drop: string }> {
  const drop = goodLogs();
  const folder = join(temporaryFolder("cli"), "store");
  expect((await gymline(["run", drop, "--out", folder, "--jobs", "0"])).code).toBe(0);
  return { folder, drop };
}

/** Keys of the files below one of the store's folders. */
function keys(folder: string, below: string): readonly string[] {
  const entries = readdirSync(join(folder, below), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

describe("gymline doctor", () => {
  it("looks at the surroundings where there is no store yet", async () => {
    const { code, stdout, stderr } = await gymline(["doctor"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(process.version);
    expect(stdout).toContain("none here yet");
  });

  it("finds nothing wrong with a sound store", async () => {
    const { folder } = await store();
    const { code, ok, problems, environment } = await diagnose(folder, "--deep");
    expect([code, ok, problems]).toEqual([0, true, []]);
    expect(environment.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["Node", "SQLite", "Zstandard", "threads", "folder", "free disk", "zod"]),
    );
  });

  it("finds what is missing, half done or foreign, each with a remedy, and exits with 2", async () => {
    const { folder } = await store();
    const [first = ""] = keys(folder, "trajectories");
    rmSync(first);
    const [score = ""] = keys(folder, "scores");
    rmSync(score);
    const [manifest = ""] = keys(folder, "datasets").filter((path) => path.endsWith("manifest.json"));
    rmSync(manifest);
    const unknown = "e".repeat(64);
    mkdirSync(join(folder, "trajectories/ee"), { recursive: true });
    writeFileSync(join(folder, `trajectories/ee/${unknown}.json.zst`), "");
    writeFileSync(join(folder, "trajectories/notes.txt"), "");
    mkdirSync(join(folder, ".tmp"), { recursive: true });
    writeFileSync(join(folder, ".tmp/half"), "");
    const { code, ok, problems } = await diagnose(folder);
    expect([code, ok]).toEqual([2, false]);
    expect(problems.map((problem) => problem.code).sort()).toEqual([
      "foreign-file",
      "leftovers",
      "missing-document",
      "missing-score",
      "unfinished-dataset",
      "unknown-document",
    ]);
    for (const { remedy } of problems) expect(remedy).not.toBe("");
  });

  it("is content again once its remedy for a lost document is followed", async () => {
    const { folder, drop } = await store();
    const [first = ""] = keys(folder, "trajectories");
    rmSync(first);
    expect((await diagnose(folder)).problems.map(({ code }) => code)).toEqual(["missing-document"]);
    await gymline(["run", drop, "--out", folder, "--force", "--jobs", "0"]);
    expect((await diagnose(folder, "--deep")).problems).toEqual([]);
  });

  it("reads everything with --deep and finds damage that a look at the names cannot", async () => {
    const { folder } = await store();
    const [damaged = "", swapped = "", other = ""] = keys(folder, "trajectories");
    writeFileSync(damaged, "no gzip");
    rmSync(swapped);
    copyFileSync(other, swapped);
    const [score = ""] = keys(folder, "scores");
    writeFileSync(score, "{}");
    const [rows = ""] = keys(folder, "datasets").filter((path) => path.endsWith("train.jsonl"));
    writeFileSync(rows, readFileSync(rows, "utf8").replace("one line", "two line"));
    expect((await diagnose(folder)).problems).toEqual([]);
    const { code, problems } = await diagnose(folder, "--deep");
    expect(code).toBe(2);
    expect(problems.map((problem) => problem.code).sort()).toEqual([
      "bad-dataset-file",
      "bad-document",
      "bad-document",
      "bad-score",
    ]);
  });

  it("says so where the catalog is no database any more", async () => {
    const { folder } = await store();
    for (const name of readdirSync(folder))
      if (name.startsWith("catalog.sqlite-")) rmSync(join(folder, name));
    writeFileSync(join(folder, "catalog.sqlite"), "no database at all, but long enough to be read as one");
    const { code, problems } = await diagnose(folder);
    expect([code, problems.map((problem) => problem.code)]).toEqual([2, ["catalog-damaged"]]);
  });
});
