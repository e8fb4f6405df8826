import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../factories/temporary.ts";
import { gymline } from "./program.ts";

const COUNT = 40;
const look = (query: string) => ({ calls: [{ tool: "query_stats", params: { query } }] });

/**
 * A model here is a folder with a script that solves the first so many tasks; its trainer makes one that solves half of
 * what was not solved, up to three quarters. All else is the program itself.
 */
const TRAINER = `
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
const [files, out] = process.argv.slice(2);
const { solved } = JSON.parse(readFileSync(files + "/skill.json", "utf8"));
const better = Math.min(${COUNT} * 0.75, solved + Math.ceil((${COUNT} - solved) / 1.5));
mkdirSync(out, { recursive: true });
writeFileSync(out + "/skill.json", JSON.stringify({ solved: better }));
const all = JSON.parse(readFileSync("answers.json", "utf8"));
const tasks = Object.fromEntries(Object.entries(all).map(([id, turns], index) => [id, index < better ? turns : [{ message: "?" }]]));
writeFileSync(out + "/script.json", JSON.stringify({ tasks }));
writeFileSync(out + "/training.json", JSON.stringify({ algorithm: "sft", base_model: files, metrics: { loss: 0.25 } }));
`;

function workplace(): string {
  const folder = temporaryFolder("online");
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const names = Array.from({ length: COUNT }, (_, index) => `order-${index}`);
  const turns = (id: string, index: number) => [look(id), { message: `day ${index + 20}` }];
  const tasks = names.map((id, index) => ({
    id,
    description: `Where is ${id}?`,
    conversation: {
      answers: [{ tool: "query_stats", output: `day ${index + 20}` }],
      criteria: [{ kind: "message", text: { contains: `day ${index + 20}` } }],
    },
  }));
  write("tasks.jsonl", tasks.map((task) => JSON.stringify(task)).join("\n"));
  write("answers.json", JSON.stringify(Object.fromEntries(names.map((id, index) => [id, turns(id, index)]))));
  write("trainer.mjs", TRAINER);
  mkdirSync(join(folder, "base"));
  write("base/skill.json", JSON.stringify({ solved: 10 }));
  const first = names.map((id, index) => [id, index < 10 ? turns(id, index) : [{ message: "?" }]]);
  write("base/script.json", JSON.stringify({ tasks: Object.fromEntries(first) }));
  const env = ["--env", "gymline/conversation-v1", "--tasks", "tasks.jsonl"];
  write(
    "online.json",
    JSON.stringify({
      model: "agent",
      base: "base",
      iterations: 4,
      patience: 1,
      collect: [
        "gymline",
        "collect",
        ...env,
        "--agent",
        "scripted:{files}/script.json",
        "--out",
        "{drop}",
        "--run",
        "{run}",
        "--seed",
        "7",
        "--quiet",
      ],
      train: [process.execPath, "trainer.mjs", "{files}", "{out}"],
      evaluate: { options: [...env, "--seed", "11"], agent: { agent: "scripted:{files}/script.json" } },
      retrain: { minimumNew: 1 },
      promotion: { alpha: 0.01 },
    }),
  );
  return folder;
}

const state = (cwd: string) => JSON.parse(readFileSync(join(cwd, "online/state.json"), "utf8"));

describe("gymline online", () => {
  it("promotes a model that is better, rejects the next that is not, and stops where patience is at its end", async () => {
    const cwd = workplace();
    const ended = await gymline(["online", "--json"], { cwd });
    expect(ended).toMatchObject({ code: 0 });
    const { iterations } = JSON.parse(ended.stdout);
    expect(iterations.map(({ outcome }: { outcome: string }) => outcome)).toEqual(["promoted", "rejected"]);
    const champion = iterations[0].champion;
    expect(iterations[1]).toMatchObject({ champion, reason: expect.stringContaining("not shown") });
    const shown = await gymline(["models", "show", `agent/${champion}`, "--json"], { cwd });
    expect(JSON.parse(shown.stdout)).toMatchObject({
      state: "champion",
      facts: {
        lineage: { parent: "base", dataset: { name: "sft" }, algorithm: "sft" },
        metrics: { loss: 0.25 },
      },
      decisions: [{ verdict: "promote", champion: "base" }],
    });
    // The champion's rollouts came into the store, and the dataset's trajectories were told what became of it.
    const listed = await gymline(["list", "--store", "out", "--json"], { cwd });
    const rows = listed.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(rows.length).toBeGreaterThan(COUNT);
    expect(
      rows.some(({ feedback }: { feedback: number | null }) => feedback !== null && feedback > 0.5),
    ).toBe(true);
    const back = await gymline(["models", "rollback", "agent", "--reason", "a try"], { cwd });
    expect(back.stdout).toContain("agent/base is the champion again");
    const [{ evaluation }] = JSON.parse(shown.stdout).decisions;
    const again = ["models", "promote", `agent/${champion}`, "--evaluation", evaluation, "--json"];
    const decided = JSON.parse((await gymline([...again, "--dry-run"], { cwd })).stdout);
    expect(decided).toMatchObject({
      verdict: "promote",
      conditions: [{ planned: COUNT, pairs: COUNT }, {}, {}, {}],
    });
  });

  it("is killed at any moment and goes on by the same command to the same end", async () => {
    const cwd = workplace();
    for (const wait of [1500, 4000, 6000]) {
      const kill = new AbortController();
      const begun = gymline(["online"], { cwd, signal: kill.signal });
      await sleep(wait);
      if (wait === 4000) {
        const beside = await gymline(["online"], { cwd });
        expect([beside.code, beside.stderr]).toEqual([1, expect.stringContaining("another gymline process")]);
      }
      kill.abort();
      await begun;
    }
    const ended = await gymline(["online", "--json"], { cwd });
    expect(ended).toMatchObject({ code: 0 });
    expect(state(cwd).iterations.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      "promoted",
      "rejected",
    ]);
    expect(existsSync(join(cwd, "online/models"))).toBe(true);
  });

  it("checks its configuration before anything runs", async () => {
    const cwd = workplace();
    const config = JSON.parse(readFileSync(join(cwd, "online.json"), "utf8"));
    const wrong = { ...config, patients: 1 };
    writeFileSync(join(cwd, "wrong.json"), JSON.stringify(wrong));
    const refused = await gymline(["online", "--config", "wrong.json"], { cwd });
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain("patients");
    const unknown = { ...config, train: ["gymline", "train", "{fils}"] };
    writeFileSync(join(cwd, "unknown.json"), JSON.stringify(unknown));
    const misspelt = await gymline(["online", "--config", "unknown.json"], { cwd });
    expect(misspelt).toMatchObject({ code: 1 });
    expect(misspelt.stderr).toContain("there is no {fils} here");
    expect(existsSync(join(cwd, "online"))).toBe(false);
  });
});
