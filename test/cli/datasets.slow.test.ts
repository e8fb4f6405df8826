import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { runPipeline } from "../../shared/adapters/local/run-pipeline.ts";
import { datasetRequestSchema } from "../../shared/contracts/dataset-request.ts";
import { manifestSchema } from "../../shared/dataset/manifest.ts";
import { chatRow } from "../factories/logs.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { type Ended, gymline } from "./program.ts";

const listedSchema = z.array(
  z
    .object({ name: z.string(), version: z.string(), state: z.string(), forgotten: z.array(z.string()) })
    .loose(),
);
const traceSchema = z.looseObject({
  kind: z.string(),
  row: z.looseObject({ path: z.string(), line: z.int() }).nullable(),
  rejections: z.array(z.looseObject({ line: z.int() })),
  trajectories: z.array(
    z.looseObject({
      id: z.string(),
      forgotten: z.boolean(),
      places: z.array(z.looseObject({ key: z.string(), line: z.int().nullable() })),
      datasets: z.array(
        z.looseObject({
          name: z.string(),
          version: z.string(),
          rows: z.array(z.looseObject({ path: z.string(), line: z.int() })),
        }),
      ),
    }),
  ),
});

interface Store {
  readonly store: string;
  run(...args: readonly string[]): Promise<Ended>;
  listed(...args: readonly string[]): Promise<z.infer<typeof listedSchema>>;
  trace(subject: string): Promise<z.infer<typeof traceSchema>>;
}

/** Two tasks with a good and a bad attempt, a broken line between them; versions of `sft` and `pairs`. */
async function makeStore(): Promise<Store> {
  const logs = temporaryFolder("cli");
  const row = (task: string, success: boolean): string =>
    chatRow({ task, success, prompt: `Mend ${task}.`, calls: [[success ? "make" : "rm all", "out"]] });
  writeFileSync(
    join(logs, "runs.jsonl"),
    [row("a", true), row("a", false), '{"messages": [', row("c", true), row("c", false)].join("\n"),
  );
  const store = join(temporaryFolder("cli"), "out");
  const run = (...args: readonly string[]): Promise<Ended> => gymline([...args, "--store", store]);
  // Commands are tried out in processes of their own; what they look at need not be made so slowly.
  const request = datasetRequestSchema.parse({ name: "pairs", target: "trl-dpo", shardRows: 1 });
  for (const dataset of [datasetRequestSchema.parse({}), request]) {
    const made = await runPipeline({ drop: logs, out: store, dataset, threads: 0 });
    expect(made.dataset?.kind).toBe("written");
  }
  return {
    store,
    run,
    listed: async (...args) => {
      const { stdout } = await run("datasets", "list", "--json", ...args);
      const lines = stdout.split("\n").filter((line) => line !== "");
      return listedSchema.parse(lines.map((line): unknown => JSON.parse(line)));
    },
    trace: async (subject) => {
      const { stdout, stderr } = await run("trace", subject, "--json");
      expect(stderr).toBe("");
      return traceSchema.parse(JSON.parse(stdout));
    },
  };
}

describe("gymline datasets", () => {
  it("lists versions, shows one, and says which names are near to a wrong one", async () => {
    const { run, listed, store } = await makeStore();
    expect(await listed()).toMatchObject([
      { name: "pairs", state: "whole", target: "trl-dpo", rows: 2, trajectories: 4, forgotten: [] },
      { name: "sft", state: "whole", target: "trl", rows: 2, trajectories: 2, forgotten: [] },
    ]);
    const [pairs] = await listed("pairs");
    expect((await run("datasets", "list")).stdout).toMatch(/pairs +[0-9a-f]{12} +trl-dpo +2 +4/);
    const shown = await run("datasets", "show", `pairs/${pairs?.version.slice(0, 4)}`);
    expect([shown.code, shown.stderr]).toEqual([0, ""]);
    for (const text of [
      "train-00000.jsonl  1 row",
      "shardRows = 1",
      "seed       42",
      "inputs.jsonl  4 traj",
    ]) {
      expect(shown.stdout).toContain(text);
    }
    const json = z
      .object({ schema: z.literal("gymline.dataset-show.v1"), manifest: manifestSchema })
      .loose()
      .parse(JSON.parse((await run("datasets", "show", "pairs", "--json")).stdout));
    const file = readFileSync(join(store, "datasets/pairs", pairs?.version ?? "", "manifest.json"), "utf8");
    expect(json.manifest).toEqual(JSON.parse(file));
    for (const [name, message] of [
      ["pair", "nearest are pairs, sft"],
      ["pairs/zz", `it has ${pairs?.version}`],
    ] as const) {
      const { code, stdout, stderr } = await run("datasets", "verify", "sft", name);
      expect([code, stdout, stderr]).toEqual([1, "", expect.stringContaining(message)]);
    }
  });

  it("tells two versions apart", async () => {
    const { run } = await makeStore();
    const first = await run("datasets", "diff", "sft");
    expect([first.code, first.stderr]).toEqual([1, expect.stringContaining("first version of its dataset")]);
    await run("export", "--name", "sft", "--success", "any");
    const diff = JSON.parse((await run("datasets", "diff", "sft", "--json")).stdout);
    expect(diff).toMatchObject({ unchanged: 2, removed: [], rescored: [] });
    expect(diff.added).toHaveLength(2);
    const { stdout } = await run("datasets", "diff", "sft");
    expect(stdout).toMatch(/^sft\/[0-9a-f]{12} → sft\/[0-9a-f]{12}$/m);
    expect(stdout).toContain("Added  2");
    expect(stdout).toMatch(/ {2}success {2}– → \["true","false","unknown"\]/);
  });

  it("verifies all versions or those that are named; a fault ends in exit code 2", async () => {
    const { run, store, listed } = await makeStore();
    const sound = await run("datasets", "verify");
    expect([sound.code, sound.stdout.match(/^✓ /gm)?.length]).toEqual([0, 2]);
    const [pairs] = await listed("pairs");
    const folder = join(store, "datasets/pairs", pairs?.version ?? "");
    appendFileSync(join(folder, "train-00001.jsonl"), "{}\n");
    const damaged = await run("datasets", "verify");
    expect(damaged.code).toBe(2);
    expect(damaged.stdout).toContain("train-00001.jsonl  bad-file");
    expect(damaged.stdout).toContain("it has 2 rows, the manifest says 1");
    expect(damaged.stdout).toContain("→ remove the folder datasets/pairs/");
    expect((await run("datasets", "verify", "sft")).code).toBe(0);
    const json = JSON.parse((await run("datasets", "verify", "pairs", "--json")).stdout);
    expect(json.faults.every(({ code }: { code: string }) => code === "bad-file")).toBe(true);
    writeFileSync(join(folder, "manifest.json"), '{"schema":"gymline.dataset.v1"}');
    const old = await run("datasets", "show", "pairs");
    expect([old.code, old.stderr]).toEqual([1, expect.stringContaining("another version of gymline")]);
    expect((await run("datasets", "list")).stdout).toContain("manifest not readable");
    rmSync(folder, { recursive: true });
    expect((await run("datasets", "list")).stdout).toMatch(/pairs.* removed$/m);
    expect((await run("datasets", "verify")).code).toBe(0);
    expect((await run("datasets", "verify", "pairs")).code).toBe(2);
  });

  it("says so where nothing was exported yet", async () => {
    const logs = temporaryFolder("cli");
    writeFileSync(join(logs, "a.json"), chatRow());
    const store = join(temporaryFolder("cli"), "out");
    await gymline(["run", logs, "--out", store, "--no-export"]);
    for (const command of ["list", "verify"]) {
      const { code, stderr } = await gymline(["datasets", command, "--store", store]);
      expect([code, stderr]).toEqual([0, expect.stringContaining("gymline export writes one")]);
    }
    const nothing = await gymline(["datasets", "list", "--store", join(store, "nowhere")]);
    expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringContaining("holds no gymline store")]);
  });
});

describe("gymline trace", () => {
  it("leads from a row to the lines of a file, and from a line to the rows", async () => {
    const { store, listed, trace } = await makeStore();
    const versions = new Map((await listed()).map(({ name, version }) => [name, version]));
    const row = await trace("pairs:train:2");
    expect(row).toMatchObject({ kind: "row", row: { path: "train-00001.jsonl", line: 1 } });
    expect(row.trajectories).toHaveLength(2);
    const path = `${store}/datasets/pairs/${versions.get("pairs")}/train-00001.jsonl:1`;
    expect((await trace(path)).trajectories).toEqual(row.trajectories);
    for (const { id, places } of row.trajectories) {
      const [place] = places;
      const back = await trace(`/some/where/runs.jsonl:${place?.line}`);
      expect(back.trajectories.map((each) => each.id)).toEqual([id]);
      const [uses] = back.trajectories.map(({ datasets }) => datasets);
      expect(uses?.[0]).toMatchObject({
        name: "pairs",
        version: versions.get("pairs"),
        rows: [{ path: "train-00001.jsonl", line: 1 }],
      });
    }
    const sft = await trace("sft:train:1");
    const file = readFileSync(join(store, "datasets/sft", versions.get("sft") ?? "", "train.jsonl"), "utf8");
    expect(JSON.parse(file.split("\n")[0] ?? "")).toMatchObject({ id: sft.trajectories[0]?.id });
    expect((await trace("runs.jsonl")).trajectories).toHaveLength(4);
  });

  it("says what became of a line that holds no trajectory, and what there is instead", async () => {
    const { run, trace } = await makeStore();
    const broken = await trace("runs.jsonl:3");
    expect([broken.trajectories, broken.rejections]).toMatchObject([[], [{ line: 3 }]]);
    for (const [subject, message] of [
      ["runs.jsonl:99", "lines near it that hold one: 1, 2, 4, 5"],
      ["sft:train:9", "train.jsonl (train) has 2 rows"],
      ["sft:test:1", "there is no row sft:test:1"],
      ["stf:train:1", "nearest are sft"],
      ["no-such-file", "no key of a dropped file"],
      ["ffff", "no trajectory whose id starts with ffff"],
    ] as const) {
      const { code, stdout, stderr } = await run("trace", subject);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain(message);
    }
  });
});

describe("gymline forget", () => {
  it("marks versions, says what to do, and the next version leaves the trajectory out", async () => {
    const { run, listed, trace, store } = await makeStore();
    const [gone] = (await trace("sft:train:1")).trajectories;
    const id = gone?.id ?? "";
    const forgot = await run("forget", id.slice(0, 8));
    expect(forgot.code).toBe(0);
    for (const name of ["sft", "pairs"])
      expect(forgot.stdout).toContain(`export ${name} anew, which leaves it out`);
    expect((await listed()).map(({ forgotten }) => forgotten)).toEqual([[id], [id]]);
    const text = await run("datasets", "list");
    expect(text.stdout).toMatch(/sft\/[0-9a-f]{12} holds 1 forgotten trajectory/);
    expect((await run("datasets", "show", "sft")).stdout).toContain("→ export sft anew");
    const verified = await run("datasets", "verify", "sft");
    expect([verified.code, verified.stdout]).toEqual([2, expect.stringContaining(`${id}  forgotten`)]);
    // Its row is still found, by its number and by its id.
    for (const subject of ["sft:train:1", id]) {
      expect((await trace(subject)).trajectories).toMatchObject([{ id, forgotten: true, places: [] }]);
    }
    await run("export", "--name", "sft");
    const [old, next] = await listed("sft");
    expect([old?.forgotten, next?.forgotten]).toEqual([[id], []]);
    const folder = join(store, "datasets/sft", next?.version ?? "");
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      expect(readFileSync(join(entry.parentPath, entry.name), "utf8")).not.toContain(id);
    }
    expect((await run("datasets", "verify", `sft/${next?.version}`)).code).toBe(0);
    // Done as told, nothing is left to be said.
    rmSync(join(store, "datasets/sft", old?.version ?? ""), { recursive: true });
    rmSync(join(store, "datasets/pairs"), { recursive: true });
    expect((await run("datasets", "list")).stdout).not.toContain("forgotten");
    expect((await run("datasets", "verify")).code).toBe(0);
  });
});
