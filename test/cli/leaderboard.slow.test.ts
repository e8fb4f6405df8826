import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { chatRow } from "../factories/logs.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { gymline } from "./program.ts";

const boardSchema = z.looseObject({
  schema: z.literal("gymline.leaderboard.v1"),
  ranked: z.array(z.looseObject({ rank: z.int(), tier: z.int(), runs: z.int(), group: z.looseObject({}) })),
  unranked: z.array(z.looseObject({ runs: z.int(), group: z.looseObject({}) })),
});

/** Two models at six tasks, one that always succeeds and one that never does, and one run of a third. */
async function makeStore(): Promise<string> {
  const logs = temporaryFolder("cli");
  const rows = Array.from({ length: 6 }, (_, task) => `task-${task}`).flatMap((task) => [
    chatRow({ task, model: "able", success: true, answer: `${task} is done.` }),
    chatRow({ task, model: "unable", success: false, answer: `${task} is not done.` }),
  ]);
  rows.push(chatRow({ task: "task-0", model: "rare", success: true }));
  writeFileSync(join(logs, "runs.jsonl"), rows.map((row) => `${row}\n`).join(""));
  const store = join(temporaryFolder("cli"), "out");
  const run = await gymline(["run", logs, "--out", store, "--no-export"]);
  expect([run.code, run.stderr]).toEqual([0, ""]);
  return store;
}

describe("gymline leaderboard", () => {
  it("ranks the groups of a store, names what is too small, and is the same every time", async () => {
    const store = await makeStore();
    const args = ["leaderboard", "--store", store, "--by", "model", "--metric", "success"];
    const { code, stdout } = await gymline(args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/1 +A +able +6 +6 +1\.000/);
    expect(stdout).toMatch(/2 +B +unable +6 +6 +0\.000/);
    expect(stdout).toContain("6 shared tasks");
    expect(stdout).toMatch(/– +rare .*n below 5/);
    const json = (await gymline([...args, "--json"])).stdout;
    const board = boardSchema.parse(JSON.parse(json));
    expect(board.ranked.map(({ tier }) => tier)).toEqual([1, 2]);
    expect(board.unranked).toMatchObject([{ group: { model: "rare" }, runs: 1 }]);
    expect((await gymline([...args, "--json"])).stdout).toBe(json);
  });

  it.each([
    [["--by", "colour"], "--by"],
    [["--metric", "luck"], "--metric"],
    [["--min-n", "none"], "--min-n takes a number"],
  ])("refuses %j", async (args, message) => {
    const { code, stderr } = await gymline(["leaderboard", ...args]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
  });
});

describe("gymline compare", () => {
  it("puts logs side by side, with layers, rubrics and deductions", async () => {
    const logs = temporaryFolder("cli");
    const paths = ["good.json", "bad.json"].map((name) => join(logs, name));
    const again: readonly [string, string] = ["ls", "a.txt"];
    writeFileSync(paths[0] ?? "", chatRow({ success: true }));
    writeFileSync(paths[1] ?? "", chatRow({ success: false, calls: [again, again, again] }));
    const { code, stdout } = await gymline(["compare", ...paths, "--domain", "coding"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/solved +yes +no/);
    expect(stdout).toMatch(/▼ repeated_call +0 +2/);
    expect(stdout).toMatch(
      /layers +outcome, rules, signals, efficiency +outcome, rules, signals, efficiency/,
    );
    const json: unknown = JSON.parse((await gymline(["compare", ...paths, "--json"])).stdout);
    expect(json).toMatchObject({
      schema: "gymline.side-by-side.v1",
      trajectories: [{ success: true }, { success: false }],
    });
    const alone = await gymline(["compare", paths[0] ?? ""]);
    expect([alone.code, alone.stderr]).toEqual([1, expect.stringContaining("one trajectory only")]);
  });

  it("compares stored trajectories by id, and groups task by task", async () => {
    const store = await makeStore();
    const listed = (await gymline(["list", "--store", store, "--json"])).stdout.split("\n");
    const ids = listed
      .filter((line) => line !== "")
      .map((line) => z.looseObject({ id: z.string() }).parse(JSON.parse(line)).id);
    const stored = await gymline([
      "compare",
      "--store",
      store,
      "--id",
      ids[0] ?? "",
      "--id",
      ids.at(-1) ?? "",
    ]);
    expect([stored.code, stored.stdout]).toEqual([0, expect.stringMatching(/solved +yes +no/)]);
    const args = ["compare", "--store", store, "--a", "model=able", "--b", `store=${store},model=unable`];
    const groups = await gymline(args);
    expect(groups.stdout).toMatch(/A − B {2}\+0\.\d+ .*p 0\.031/);
    expect(groups.stdout).toContain("paired by 6 shared tasks");
    const json: unknown = JSON.parse((await gymline([...args, "--json"])).stdout);
    expect(json).toMatchObject({
      schema: "gymline.comparison.v1",
      difference: { kind: "paired", shared: 6 },
    });
    const nobody = await gymline([...args.slice(0, 4), "model=nobody", "--b", "model=able"]);
    expect([nobody.code, nobody.stderr]).toEqual([
      1,
      expect.stringContaining('no trajectory matches the group "model=nobody"'),
    ]);
  });

  it.each([
    [[], "nothing to compare"],
    [["--a", "agent=x"], "--a and --b go together"],
    [["--a", "colour=x", "--b", "agent=y"], '"colour=x" tells no group'],
    [["no-such-file"], "there is no no-such-file"],
  ])("refuses %j", async (args, message) => {
    const { code, stderr } = await gymline(["compare", ...args]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
  });
});
