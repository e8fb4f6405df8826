import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { temporaryFolder } from "../factories/temporary.ts";
import { goodLogs, gymline } from "./program.ts";

const listedSchema = z.array(
  z.looseObject({ id: z.string(), reward: z.number().nullable(), gdi: z.number() }),
);
const traceSchema = z.looseObject({
  trajectories: z.array(
    z.looseObject({
      id: z.string(),
      places: z.array(z.looseObject({ key: z.string() })),
      datasets: z.array(z.unknown()),
    }),
  ),
});

interface Store {
  readonly logs: string;
  readonly store: string;
  /** Three of them, best first. */
  readonly ids: readonly string[];
}

async function makeStore(): Promise<Store> {
  const logs = goodLogs();
  const store = join(temporaryFolder("cli"), "out");
  const run = await gymline(["run", logs, "--out", store, "--success", "any"]);
  expect([run.code, run.stderr]).toEqual([0, ""]);
  const ids = (await listed(store)).map(({ id }) => id);
  expect(ids).toHaveLength(3);
  return { logs, store, ids };
}

async function listed(store: string, ...more: readonly string[]): Promise<z.infer<typeof listedSchema>> {
  const { stdout } = await gymline(["list", "--store", store, "--json", ...more]);
  const lines = stdout.split("\n").filter((line) => line !== "");
  return listedSchema.parse(lines.map((line): unknown => JSON.parse(line)));
}

describe("commands on a store", () => {
  it("list sorts, limits and filters", async () => {
    const { store } = await makeStore();
    const rewards = (await listed(store)).map(({ reward }) => reward ?? -1);
    expect(rewards).toEqual([...rewards].sort((a, b) => b - a));
    const gdis = (await listed(store, "--sort", "gdi")).map(({ gdi }) => gdi);
    expect(gdis).toEqual([...gdis].sort((a, b) => b - a));
    expect(await listed(store, "--limit", "2")).toHaveLength(2);
    expect(await listed(store, "--project", "nobody")).toEqual([]);
    expect((await gymline(["list", "--store", store, "--sort", "age"])).code).toBe(1);
  });

  it("show prints a trajectory with its facts, and takes the first digits of an id", async () => {
    const { ids, store } = await makeStore();
    const [id = ""] = ids;
    const shown = await gymline(["show", id.slice(0, 8), "--store", store]);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain(id);
    expect(shown.stdout).toMatch(/^\d+ agent {2}reward /m);
    expect(shown.stdout).not.toContain("ann@firm.example.com");
    const json: unknown = JSON.parse((await gymline(["show", id, "--store", store, "--json"])).stdout);
    expect(json).toMatchObject({ trajectory: { extra: { gymline: { id } } }, score: { trajectory_id: id } });
    const unknown = await gymline(["show", "0000000", "--store", store]);
    expect([unknown.code, unknown.stdout]).toEqual([1, ""]);
    expect(unknown.stderr).toContain("no trajectory whose id starts with 0000000");
  });

  it("diff says where two trajectories part, and that one equals itself", async () => {
    const { ids, store } = await makeStore();
    const [a = "", b = ""] = ids;
    const parted = await gymline(["diff", a, b, "--store", store]);
    expect(parted.stdout).toContain("then they part");
    expect(parted.stdout).toContain(b.slice(0, 10));
    expect((await gymline(["diff", a, a, "--store", store])).stdout).toMatch(/^the same \d+ actions? /);
  });

  it("trace leads from a row to its file and from a file to its rows", async () => {
    const { store } = await makeStore();
    const trace = async (subject: string): Promise<z.infer<typeof traceSchema>> =>
      traceSchema.parse(JSON.parse((await gymline(["trace", subject, "--store", store, "--json"])).stdout));
    const fromFile = await trace("two.jsonl");
    expect(fromFile.trajectories).toHaveLength(2);
    for (const { id, datasets } of fromFile.trajectories) {
      expect(datasets).toHaveLength(1);
      expect((await trace(id)).trajectories[0]?.places.map(({ key }) => key)).toEqual(["two.jsonl"]);
    }
    expect((await gymline(["trace", "no-such-file", "--store", store])).code).toBe(1);
  });

  it("export gives another selection another version, and the same one none", async () => {
    const { store } = await makeStore();
    const versions = (): readonly string[] => readdirSync(join(store, "datasets", "best"));
    const args = ["export", "--store", store, "--success", "any", "--name", "best", "--limit"];
    await gymline([...args, "2"]);
    expect((await gymline([...args, "2"])).stdout).toContain("(unchanged)");
    expect(versions()).toHaveLength(1);
    await gymline([...args, "1"]);
    expect(versions()).toHaveLength(2);
    const other = [
      ...args.slice(0, 5),
      "--compat",
      "knowlyr",
      "--target",
      "benchmark",
      "--parquet",
      "--shard-rows",
    ];
    const { code, stdout } = await gymline([...other, "1"]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/datasets\/benchmark\/.*train-00001\.parquet +1 row/s),
    ]);
    const nothing = await gymline(["export", "--store", store, "--only-domain", "none-such"]);
    expect([nothing.code, nothing.stdout]).toEqual([2, expect.stringContaining("other domain")]);
    for (const wrong of [
      ["--parquet", "--jsonl"],
      ["--compat", "other"],
      ["--compat", "knowlyr", "--target", "verl"],
    ]) {
      expect((await gymline(["export", "--store", store, ...wrong])).code).toBe(1);
    }
    const unknown = await gymline(["export", "--store", store, "--target", "dpo"]);
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("trl-prompt-completion")]);
  });

  it("reprocess says what a stage needs, and does it", async () => {
    const { logs, store } = await makeStore();
    const command = ["reprocess", "--store", store];
    expect((await gymline([...command, "--stage", "ingest"])).stderr).toContain("--drop");
    const again = await gymline([...command, "--stage", "ingest", "--drop", logs]);
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining("0 revised, 3 as before, 0 new")]);
    const rescored = await gymline([...command, "--stage", "score", "--domain", "conversation", "--prune"]);
    expect(rescored.code).toBe(0);
    expect((await gymline(["doctor", "--store", store, "--deep"])).code).toBe(0);
  });

  it("forget removes a trajectory, names the datasets that hold it, and keeps it away", async () => {
    const { ids, logs, store } = await makeStore();
    const [id = ""] = ids;
    const gone = await gymline(["forget", id.slice(0, 12), "--store", store]);
    expect([gone.code, gone.stdout]).toEqual([0, expect.stringContaining("still holds it")]);
    await gymline(["run", logs, "--out", store, "--force", "--no-export"]);
    expect((await listed(store)).map((entry) => entry.id)).not.toContain(id);
    expect((await gymline(["show", id, "--store", store])).stderr).toContain("forgotten");
  });
});
