import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { evaluationLineSchema, evaluationSchema } from "../../shared/contracts/evaluation.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { gymline } from "./program.ts";

const COUNT = 10;
const NAMES = Array.from({ length: COUNT }, (_, index) => `order-${index}`);

const look = (query: string) => ({ calls: [{ tool: "query_stats", params: { query } }], costUsd: 0.002 });

/** Tasks of a conversation, an agent that solves them, one that fails, one that solves every second. */
function workplace(): string {
  const folder = temporaryFolder("evaluate");
  const write = (name: string, value: unknown) => writeFileSync(join(folder, name), JSON.stringify(value));
  const tasks = NAMES.map((id, index) => ({
    id,
    description: `Where is ${id}?`,
    conversation: {
      answers: [{ tool: "query_stats", output: `day ${index + 20}` }],
      criteria: [
        { kind: "called", tool: "query_stats", arguments: { query: { equals: id } } },
        { kind: "message", text: { contains: `day ${index + 20}` } },
      ],
    },
  }));
  writeFileSync(join(folder, "tasks.jsonl"), tasks.map((task) => JSON.stringify(task)).join("\n"));
  const solving = (id: string, index: number) => [look(id), { message: `day ${index + 20}`, costUsd: 0.001 }];
  write("solve.json", { tasks: Object.fromEntries(NAMES.map((id, index) => [id, solving(id, index)])) });
  write("fail.json", [look("nothing"), { message: "No idea.", costUsd: 0.001 }]);
  const half = NAMES.map((id, index) => [
    id,
    index % 2 === 0 ? solving(id, index) : [{ message: "?", costUsd: 0.0005 }],
  ]);
  write("half.json", { tasks: Object.fromEntries(half) });
  return folder;
}

const IN = ["--env", "gymline/conversation-v1", "--tasks", "tasks.jsonl"];
const GOOD = ["--agent", "good=scripted:solve.json"];
const BAD = ["--agent", "bad=scripted:fail.json"];

describe("gymline evaluate", () => {
  it("stores an evaluation that says which agent is better, with reports, and the logs for gymline run", async () => {
    const cwd = workplace();
    const args = ["evaluate", ...IN, ...GOOD, ...BAD, "--n", "2", "--parallel", "4"];
    const shown = await gymline([...args, "--report", "r.html", "--report", "r.md"], { cwd });
    expect(shown).toMatchObject({ code: 0 });
    expect(shown.stdout).toMatch(/1 {2}good .*\ba {6}1\.000/);
    expect(shown.stderr).toMatch(/\[ ?\d+\/20\] order-\d\.\d {2}solved/);
    const [name = ""] = readdirSync(join(cwd, "out/evaluations")).filter((each) => each.endsWith(".json"));
    const document = evaluationSchema.parse(
      JSON.parse(readFileSync(join(cwd, "out/evaluations", name), "utf8")),
    );
    expect(name).toBe(`${document.id}.json`);
    expect(document).toMatchObject({ valid: true, problems: [], attempts: 2, tasks: { count: COUNT } });
    const lines = readFileSync(join(cwd, `out/evaluations/${document.id}.episodes.jsonl`), "utf8")
      .trim()
      .split("\n")
      .map((line) => evaluationLineSchema.parse(JSON.parse(line)));
    const seeds = (agent: string) =>
      lines.filter((line) => line.agent === agent).map(({ task, attempt, seed }) => [task, attempt, seed]);
    expect(lines).toHaveLength(40);
    expect(seeds("good")).toEqual(seeds("bad"));
    expect(document.comparisons[0]).toMatchObject({ metric: "success", better: "good", won: COUNT });
    expect(readFileSync(join(cwd, "r.html"), "utf8")).toContain(document.id);
    expect(readFileSync(join(cwd, "r.md"), "utf8")).toContain("| 1 | good |");
    const taken = await gymline(["run", "out/rollouts", "--out", "store", "--json"], { cwd });
    expect(taken.code).toBe(0);
    const listed = await gymline(["list", "--store", "store", "--json"], { cwd });
    expect(listed.stdout.trim().split("\n")).toHaveLength(40);
  });

  it("is killed at any moment and goes on by the same command, with nothing done twice", async () => {
    const cwd = workplace();
    const args = ["evaluate", ...IN, ...GOOD, ...BAD, "--n", "8", "--json"];
    const kill = new AbortController();
    const begun = gymline(args, { cwd, signal: kill.signal });
    const done = (): number => {
      const runs = join(cwd, "out/rollouts/.runs");
      if (!existsSync(runs)) return 0;
      const ledgers = readdirSync(runs).map((run) => join(runs, run, "episodes.jsonl"));
      const texts = ledgers.filter((path) => existsSync(path)).map((path) => readFileSync(path, "utf8"));
      return texts.join("").split("\n").length - 1;
    };
    while (done() < 10) await sleep(2);
    kill.abort();
    await begun;
    const before = done();
    expect(existsSync(join(cwd, "out/evaluations"))).toBe(false);
    const ended = await gymline(args, { cwd });
    expect([ended.code, done()]).toEqual([0, 160]);
    expect(before).toBeLessThan(160);
    const again = await gymline(args, { cwd });
    expect(again.stdout).toBe(ended.stdout);
    expect(done()).toBe(160);
  });

  it("compares and ranks agents of several evaluations, and runs no episode of a known agent again", async () => {
    const cwd = workplace();
    const idOf = async (...agents: readonly string[]): Promise<string> => {
      const { stdout } = await gymline(["evaluate", ...IN, ...agents, "--json"], { cwd });
      return JSON.parse(stdout).id;
    };
    const first = await idOf(...GOOD, ...BAD);
    const second = await idOf(...GOOD, "--agent", "half=scripted:half.json");
    expect(readdirSync(join(cwd, "out/rollouts")).filter((name) => !name.startsWith("."))).toHaveLength(3);
    const both = ["-e", first.slice(0, 8), "-e", `out/evaluations/${second}.json`];
    const ranked = await gymline(["leaderboard", ...both, "--json"], { cwd });
    expect(JSON.parse(ranked.stdout)).toMatchObject({
      schema: "gymline.evaluation-leaderboard.v1",
      leaderboard: [{ agent: "good" }, { agent: "half" }, { agent: "bad" }],
    });
    const compared = await gymline(["compare", ...both, "--metric", "cost-usd", "--markdown"], { cwd });
    expect([compared.code, compared.stderr]).toEqual([0, ""]);
    expect(compared.stdout).toMatch(/\| good \| half \| \+/);
    const same = await gymline(["compare", "-e", first, "--json"], { cwd });
    expect(JSON.parse(same.stdout).id).toBe(first);
  });

  it("does not compare evaluations of other tasks or seeds", async () => {
    const cwd = workplace();
    const idOf = async (...more: readonly string[]): Promise<string> =>
      JSON.parse((await gymline(["evaluate", ...IN, ...GOOD, "--json", ...more], { cwd })).stdout).id;
    const [all, some, reseeded] = [await idOf(), await idOf("--limit", "5"), await idOf("--seed", "9")];
    for (const [other, what] of [
      [some, "tasks"],
      [reseeded, "seeds"],
    ] as const) {
      const { code, stdout, stderr } = await gymline(["compare", "-e", all, "-e", other], { cwd });
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(new RegExp(`different ${what}.*evaluate all of them by one gymline evaluate`));
    }
  });

  it("takes agents of a file, with the registered model that acts, and calls failing ones invalid", async () => {
    const cwd = workplace();
    writeFileSync(join(cwd, "partial.json"), JSON.stringify({ tasks: { "order-0": [look("x")] } }));
    writeFileSync(
      join(cwd, "broken.mjs"),
      `export const agent = { name: "b", version: "1", model: null, begin() { throw new Error("down"); } };`,
    );
    const agents = [
      { name: "new", agent: "scripted:solve.json", registered: { name: "tiny", version: "2" } },
      { name: "down", agent: "scripted:broken.mjs" },
    ];
    writeFileSync(join(cwd, "agents.json"), JSON.stringify(agents));
    const args = ["evaluate", ...IN, "--agents", "agents.json", "--max-failures", "0", "--json"];
    const { code, stdout } = await gymline(args, { cwd });
    const document = evaluationSchema.parse(JSON.parse(stdout));
    expect(code).toBe(2);
    expect(document.valid).toBe(false);
    expect(document.agents[0]?.model).toEqual({ name: "tiny", version: "2" });
    expect(document.problems.map((each) => each.code)).toEqual([
      "failed_episodes",
      "too_many_failed",
      "no_pairs",
    ]);
    expect(document.figures[1]?.episodes).toMatchObject({ done: 0, failed: COUNT });
  });

  it.each([
    [["evaluate"], "evaluate needs --agent or --agents"],
    [["evaluate", ...GOOD], "evaluate needs --env"],
    [["evaluate", ...IN, ...GOOD, ...GOOD], 'two agents are called "good"'],
    [["evaluate", ...IN, ...GOOD, "--metric", "speed"], "--metric takes success, return"],
    [["evaluate", ...IN, "--agent", "scripted:absent.json"], "there is no absent.json"],
    [["evaluate", ...IN, ...GOOD, "--report", "r.pdf"], "--report takes a .html or .md file"],
    [["compare", "--evaluation", "ffff"], "There is no evaluation ffff"],
    [["compare", "--report", "x.md", "--id", "a", "--id", "b"], "--report goes with --evaluation"],
  ])("says what to give instead of %j", async (args, expected) => {
    const { code, stdout, stderr } = await gymline(args, { cwd: workplace() });
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(expected);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });
});
