import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { duplicatesReportSchema } from "../../shared/curation/duplicates-report.ts";
import { manifestSchema } from "../../shared/dataset/manifest.ts";
import { makeRun } from "../curation/traces.ts";
import { chatRow } from "../factories/logs.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { gymline } from "./program.ts";

function row(task: string, seed: number, more = ""): string {
  const calls = makeRun(seed, { steps: 20, lines: 3 }).calls.map(
    ([, params, output], index) => [JSON.stringify(params), index === 0 ? output + more : output] as const,
  );
  return `${chatRow({ task, prompt: `Mend ${task}.`, calls })}\n`;
}

async function makeStore(): Promise<string> {
  const logs = temporaryFolder("cli");
  writeFileSync(
    join(logs, "runs.jsonl"),
    [row("a", 1), row("a", 1, "\nslower"), row("b", 2), row("c", 3)].join(""),
  );
  const store = join(temporaryFolder("cli"), "out");
  expect((await gymline(["run", logs, "--out", store, "--no-export"])).code).toBe(0);
  return store;
}

describe("gymline duplicates", () => {
  it("shows clusters, and prints a report that follows its schema", async () => {
    const store = await makeStore();
    const shown = await gymline(["duplicates", "--store", store]);
    expect([shown.code, shown.stderr]).toEqual([0, ""]);
    expect(shown.stdout).toContain(
      "1 near-duplicate in 1 cluster of 4 trajectories, similarity 0.85 or more",
    );
    const printed = await gymline(["duplicates", "--store", store, "--near", "0.95", "--json"]);
    const report = duplicatesReportSchema.parse(JSON.parse(printed.stdout));
    expect(report).toMatchObject({ threshold: 0.95, trajectories: 4, duplicates: 1 });
    expect(shown.stdout).toContain(report.clusters[0]?.representative.slice(0, 10));
    const none = await gymline(["duplicates", "--store", store, "--task", "b", "--json"]);
    expect(JSON.parse(none.stdout)).toMatchObject({ trajectories: 1, clusters: [] });
  });

  it("refuses what is no similarity", async () => {
    const store = await makeStore();
    for (const near of ["0", "1.2", "high"]) {
      const { code, stderr } = await gymline(["duplicates", "--store", store, "--near", near]);
      expect(code).toBe(1);
      expect(stderr).toContain("--near takes a number");
    }
  });
});

describe("gymline export", () => {
  it("leaves near-duplicates and evaluation tasks out, by options or by the settings", async () => {
    const store = await makeStore();
    const folder = temporaryFolder("cli");
    writeFileSync(join(folder, "held-out.txt"), "b\n");
    writeFileSync(join(folder, "more.jsonl"), '{"task_id": "c"}\n');
    const config = join(folder, "gymline.json");
    writeFileSync(config, JSON.stringify({ dataset: { name: "clean", against: ["held-out.txt"] } }));
    const args = [
      "export",
      "--store",
      store,
      "--config",
      config,
      "--near-duplicates",
      "--against",
      join(folder, "more.jsonl"),
    ];
    const { code, stdout, stderr } = await gymline(args);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("2 task of an evaluation set, by its id; 1 near-duplicate of a better one");
    const { prefix, manifest } = JSON.parse((await gymline([...args, "--json"])).stdout);
    expect(
      manifestSchema.parse(JSON.parse(readFileSync(join(store, prefix, "manifest.json"), "utf8"))),
    ).toEqual(manifest);
    expect(manifest.curation.decontamination.sets.map(({ name }: { name: string }) => name)).toEqual([
      "held-out.txt",
      "more.jsonl",
    ]);
    expect(manifest.curation.near_duplicates).toMatchObject({ threshold: 0.85, removed: 1 });
  });

  it("names an evaluation set that is not there, or that it cannot read", async () => {
    const store = await makeStore();
    const missing = await gymline(["export", "--store", store, "--against", "nowhere.jsonl"]);
    expect([missing.code, missing.stdout]).toEqual([1, ""]);
    expect(missing.stderr).toMatch(
      /^gymline: the evaluation set nowhere\.jsonl cannot be read: ENOENT.*correct --against/,
    );
    const folder = temporaryFolder("cli");
    writeFileSync(join(folder, "odd.json"), '[{"answer": 3}]');
    const odd = await gymline(["export", "--store", store, "--against", join(folder, "odd.json")]);
    expect([odd.code, odd.stderr]).toEqual([
      1,
      expect.stringContaining("odd.json $[0] has no field to compare by"),
    ]);
  });

  it("picks by steps and by when trajectories came in", async () => {
    const store = await makeStore();
    const excluded = async (...more: readonly string[]) => {
      const result = JSON.parse((await gymline(["export", "--store", store, "--json", ...more])).stdout);
      return result.excluded ?? result.manifest.selection.excluded;
    };
    expect(await excluded("--min-steps", "100")).toEqual({ "too few steps": 4 });
    expect(await excluded("--max-steps", "3")).toEqual({ "too many steps": 4 });
    expect(await excluded("--created-before", "2020-01-01")).toEqual({ "came in too late": 4 });
    expect(await excluded("--created-after", "2999-01-01T00:00:00Z")).toEqual({ "came in too early": 4 });
    const { code, stderr } = await gymline(["export", "--store", store, "--created-after", "yesterday"]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("createdAfter")]);
  });
});
