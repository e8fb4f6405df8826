import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { modelServer } from "../factories/model-server/model-server.ts";
import { answer, calling, status } from "../factories/model-server/replies.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { gymline } from "./program.ts";

const MAIN = resolve(import.meta.dirname, "../../containers/gymline/main.ts");
const MODULE = resolve(import.meta.dirname, "../factories/counting-module.ts");
const ENV = ["--env", "test/counting", "--env-module", MODULE];
const add = { calls: [{ tool: "add" }] };
const stop = { calls: [{ tool: "stop" }] };

/** A folder with tasks and a script that adds twice and stops. */
function workplace(tasks: readonly unknown[]): string {
  const folder = temporaryFolder("collect");
  writeFileSync(join(folder, "tasks.jsonl"), tasks.map((task) => JSON.stringify(task)).join("\n"));
  writeFileSync(join(folder, "turns.json"), JSON.stringify([add, add, stop]));
  return folder;
}

const SCRIPTED = [...ENV, "--agent", "scripted:turns.json", "--tasks", "tasks.jsonl"];
const EASY = { id: "easy", target: 1, difficulty: "easy" };
const HARD = { id: "hard", target: 9, difficulty: "hard" };

function ledger(folder: string, run: string): readonly { readonly id: string; readonly seed: number }[] {
  const text = readFileSync(join(folder, "drop/.runs", run, "episodes.jsonl"), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("gymline collect", () => {
  it("drops trajectories that gymline run takes in, each attempt by itself", async () => {
    const cwd = workplace([EASY, HARD]);
    const args = [...SCRIPTED, "--n", "3", "--parallel", "4", "--seed", "5", "--run", "r1"];
    const collected = await gymline(["collect", ...args], { cwd });
    expect(collected).toMatchObject({ code: 0 });
    expect(collected.stdout).toContain("6 done");
    expect(collected.stdout).toContain("1 always solved, 0 sometimes, 1 never");
    expect(collected.stderr).toMatch(/\[\d\/6\] easy\.\d {2}solved {2}reward 1/);
    expect(readdirSync(join(cwd, "drop/r1")).sort()).toEqual(
      ["easy", "hard"].flatMap((task) => [0, 1, 2].map((attempt) => `${task}.${attempt}.json`)),
    );
    const taken = await gymline(["run", "drop", "--json"], { cwd });
    const listed = await gymline(["list", "--json"], { cwd });
    expect(taken).toMatchObject({ code: 0 });
    expect(listed.stdout.trim().split("\n")).toHaveLength(6);
  });

  it("gives the same seeds and results in another order of tasks, and with filters", async () => {
    const cwd = workplace([EASY, HARD]);
    const run = (name: string, ...more: readonly string[]) =>
      gymline(["collect", ...SCRIPTED, "--seed", "5", "--json", "--run", name, ...more], { cwd });
    const all = JSON.parse((await run("all")).stdout);
    const one = JSON.parse((await run("one", "--difficulty", "HARD")).stdout);
    expect(all).toMatchObject({ schema: "gymline.collect.v1", seed: 5, ended: "done", missing: 0 });
    expect(all.summary.success).toMatchObject({ value: 0.5, n: 2, interval: { method: "wilson" } });
    expect(one.summary.episodes).toEqual({ done: 1, failed: 0 });
    const seedOf = (name: string) => ledger(cwd, name).find(({ id }) => id === "hard.0")?.seed;
    expect(seedOf("one")).toBe(seedOf("all"));
  });

  it("is killed at any moment and goes on with what is missing, and nothing else", async () => {
    const tasks = Array.from({ length: 12 }, (_, index) => ({ id: `t${index}`, target: 2, delay: 60 }));
    const cwd = workplace(tasks);
    const kill = new AbortController();
    const begun = gymline(["collect", ...SCRIPTED, "--run", "k", "--parallel", "2", "--seed", "3"], {
      cwd,
      signal: kill.signal,
    });
    const path = join(cwd, "drop/.runs/k/episodes.jsonl");
    while (!existsSync(path) || ledgerLines(path) < 4) await sleep(20);
    kill.abort();
    await begun;
    const before = ledger(cwd, "k").map(({ id }) => id);
    expect(before.length).toBeLessThan(12);
    const resumed = await gymline(["collect", "--resume", "k", "--parallel", "3"], { cwd });
    expect(resumed).toMatchObject({ code: 0 });
    expect(resumed.stderr).toContain(`${before.length} done before`);
    expect(resumed.stdout).toContain("12 done");
    const ids = ledger(cwd, "k").map(({ id }) => id);
    expect([...ids].sort()).toEqual(tasks.map(({ id }) => `${id}.0`).sort());
    expect(ids.slice(0, before.length)).toEqual(before);
    expect(readdirSync(join(cwd, "drop/k"))).toHaveLength(12);
    for (const name of readdirSync(join(cwd, "drop/k"))) {
      expect(() => JSON.parse(readFileSync(join(cwd, "drop/k", name), "utf8"))).not.toThrow();
    }
  });

  it("says what failed, does it again when it goes on, and ends with 2 until nothing is left", async () => {
    const cwd = workplace([EASY, { id: "broken", fault: "step" }]);
    const first = await gymline(["collect", ...SCRIPTED, "--run", "f"], { cwd });
    expect(first.code).toBe(2);
    expect(first.stdout).toContain("failed broken.0: EnvFaultError: the counter broke");
    expect(first.stdout).toContain("gymline collect --resume f --out drop");
    const again = await gymline(["collect", "--resume", "f"], { cwd });
    expect(again.code).toBe(2);
    expect(ledger(cwd, "f").map(({ id }) => id)).toEqual(["easy.0", "broken.0", "broken.0"]);
    const other = await gymline(["collect", "--resume", "f", "--seed", "9"], { cwd });
    expect(other).toMatchObject({ code: 1 });
    expect(other.stderr).toContain("the run f began with no --seed");
    writeFileSync(join(cwd, "tasks.jsonl"), JSON.stringify(EASY));
    const changed = await gymline(["collect", "--resume", "f"], { cwd });
    expect(changed.stderr).toContain("holds other tasks than when the run f began");
  });

  it("lets a model act, with its tokens and its cost", async () => {
    const server = await modelServer(({ results }) =>
      results.at(-1)?.text === "1" ? answer("So far so good.") : calling({ name: "add", input: {} }),
    );
    const cwd = workplace([EASY, { ...HARD, target: 3 }]);
    const at = ["--agent", "anthropic", "--model", "claude-haiku-4-5", "--base-url", server.url];
    const args = [...ENV, "--tasks", "tasks.jsonl", ...at, "--max-cost", "1", "--json", "--run", "m"];
    const env = { ANTHROPIC_API_KEY: "k" };
    const done = await gymline(["collect", ...args], { cwd, env });
    expect(done).toMatchObject({ code: 0 });
    const { summary } = JSON.parse(done.stdout);
    expect(summary.stops).toEqual({ terminated: 2 });
    expect(summary.costUsd).toBeGreaterThan(0);
    expect(summary.tokens.output).toBeGreaterThan(0);
    server.use(() => status(401));
    const refused = await gymline(["collect", ...args.slice(0, -1), "m2"], { cwd, env });
    expect(refused.code).toBe(2);
    expect(JSON.parse(refused.stdout).summary.failures).toEqual({ "agent:provider": 2 });
  });

  it("redraws a table on a terminal, whatever size that has", (context) => {
    if (spawnSync("script", ["--version"]).status !== 0) return context.skip("no script(1) for a terminal");
    const cwd = workplace([{ id: "slow", target: 2, delay: 500 }]);
    for (const [run, size] of Object.entries({
      wide: "stty cols 70 rows 20; ",
      none: "stty cols 0 rows 0; ",
    })) {
      const words = [process.execPath, MAIN, "collect", ...SCRIPTED, "--run", run].join(" ");
      const { stdout } = spawnSync("script", ["-qec", `${size}${words}`, "/dev/null"], {
        cwd,
        encoding: "utf8",
      });
      expect(stdout).toContain("slow.0  turn 1");
      expect(stdout).toContain("\u001b[J");
      expect(stdout).toContain("1 done");
    }
  }, 120_000);

  it.each([
    [["--env", "test/nothing"], 'there is no environment "test/nothing"'],
    [["--agent", "nobody"], 'there is no agent "nobody"'],
    [["--ids", "x"], "There is no task x among the 1"],
    [["--agent", "anthropic", "--model", "m"], "ANTHROPIC_API_KEY"],
    [
      ["--agent", "openai-compatible", "--model", "m", "--base-url", "http://127.0.0.1:9", "--max-cost", "1"],
      "no price of m",
    ],
    [["--project", "a/b"], '--project "a/b" is no label'],
  ])("names what is wrong and begins no run: %o", async (args, message) => {
    const cwd = workplace([EASY]);
    const ended = await gymline(["collect", ...SCRIPTED, ...args], {
      cwd,
      env: { ANTHROPIC_API_KEY: undefined },
    });
    expect(ended.stderr).toContain(message);
    expect(ended.code).toBe(1);
    expect(existsSync(join(cwd, "drop"))).toBe(false);
  });
});

function ledgerLines(path: string): number {
  return readFileSync(path, "utf8").split("\n").length - 1;
}
