import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type PreferenceRow, preferenceRowSchema } from "../../shared/preferences/preference-row.ts";
import { preferenceSummarySchema } from "../../shared/preferences/summary.ts";
import { type PairVerdictRow, pairToJudgeSchema } from "../../shared/stages/judge/pairs.ts";
import { type ChatFacts, chatRow } from "../factories/logs.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { gymline } from "./program.ts";

const LOOK: readonly [string, string] = ["ls", "a.txt\nb.txt"];

function attempt(facts: ChatFacts): string {
  return chatRow({ task: "read-a", prompt: "Read a.txt.", ...facts });
}

/** Four attempts at one task, two of which failed, and one attempt at another. */
async function makeStore(): Promise<string> {
  const logs = temporaryFolder("cli");
  const rows = [
    attempt({ calls: [LOOK, ["cat a.txt", "one"]], success: true }),
    attempt({ calls: [LOOK, ["cat a.txt", "one"], ["wc a.txt", "1"]], success: true }),
    attempt({ calls: [LOOK, ["cat b.txt", "two"]], success: false }),
    attempt({ calls: [LOOK, LOOK, LOOK, ["cat b.txt", "two"]], success: false }),
    attempt({ task: "alone", success: true }),
  ];
  writeFileSync(join(logs, "runs.jsonl"), rows.map((row) => `${row}\n`).join(""));
  const store = join(temporaryFolder("cli"), "out");
  const run = await gymline(["run", logs, "--out", store, "--no-export"]);
  expect([run.code, run.stderr]).toEqual([0, ""]);
  return store;
}

function rowsOf(text: string): readonly PreferenceRow[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => preferenceRowSchema.parse(JSON.parse(line)));
}

describe("gymline preferences", () => {
  it("prints pairs with what they rest on, and why there are no more", async () => {
    const store = await makeStore();
    const { code, stdout, stderr } = await gymline(["preferences", "--store", store]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("2 pairs of 1 task, outside-in");
    expect(stdout).toMatch(/mean \d\.\d{4}, .*n 2/);
    expect(stdout).toContain("95 % interval");
    expect(stdout).toContain("1 one scored attempt only");
  });

  it("writes rows that follow the schema, the same ones every time", async () => {
    const store = await makeStore();
    const file = join(temporaryFolder("cli"), "pairs.jsonl");
    const args = ["preferences", "--store", store, "--strategy", "all-pairs", "--verified"];
    const summary = await gymline([...args, "--out", file, "--json"]);
    const rows = rowsOf(readFileSync(file, "utf8"));
    expect(rows).toHaveLength(4);
    for (const { chosen, rejected } of rows) {
      expect([chosen.outcome.success, rejected.outcome.success]).toEqual([true, false]);
    }
    expect(preferenceSummarySchema.parse(JSON.parse(summary.stdout))).toMatchObject({ pairs: 4, tasks: 1 });
    expect((await gymline([...args, "--json"])).stdout).toBe(readFileSync(file, "utf8"));
    expect(rowsOf((await gymline([...args, "--per-task", "1", "--json"])).stdout)).toEqual(rows.slice(0, 1));
  });

  it("pairs the steps at which attempts part, with their messages", async () => {
    const store = await makeStore();
    const args = ["preferences", "--store", store, "--strategy", "branches", "--with-messages", "--json"];
    const rows = rowsOf((await gymline(args)).stdout);
    const [row] = rows;
    if (row?.level !== "step") throw new Error("a pair of steps was expected");
    expect(row.prefix.steps).toBe(1);
    expect(row.prefix.messages?.map(({ role }) => role)).toEqual(["system", "user", "assistant", "tool"]);
    expect(row.chosen.branch.runs).toBe(2);
    expect(JSON.stringify(row.chosen.messages)).toContain("cat a.txt");
    expect(JSON.stringify(row.rejected.messages)).not.toContain("cat a.txt");
  });

  it("lets votes go before rewards", async () => {
    const store = await makeStore();
    const [first] = rowsOf((await gymline(["preferences", "--store", store, "--json"])).stdout);
    const file = join(temporaryFolder("cli"), "votes.jsonl");
    const ids = { chosen_id: first?.rejected.id, rejected_id: first?.chosen.id };
    writeFileSync(file, `${JSON.stringify({ task_id: "read-a", ...ids, votes: 3, share: 1 })}\n`);
    const voted = await gymline(["preferences", "--store", store, "--votes", file, "--json"]);
    expect(rowsOf(voted.stdout)[0]).toMatchObject({ source: "votes", chosen: { id: first?.rejected.id } });
    expect(voted.stderr).toContain("1 against the rewards");
    writeFileSync(file, '{"task_id": "read-a", "chosen_id": "x"}\n');
    const broken = await gymline(["preferences", "--store", store, "--votes", file]);
    expect([broken.code, broken.stderr]).toEqual([
      1,
      expect.stringContaining(`${file}:1 is no vote: rejected_id`),
    ]);
  });

  it("takes the verdicts of a judge that compared pairs, where it chose one", async () => {
    const store = await makeStore();
    const [first, second] = rowsOf((await gymline(["preferences", "--store", store, "--json"])).stdout);
    const verdict = (row: PreferenceRow | undefined, chosen: boolean): string => {
      const ids = { left_id: row?.chosen.id, right_id: row?.rejected.id };
      const said: PairVerdictRow = {
        ...pairToJudgeSchema.parse({ task_id: "read-a", ...ids }),
        schema: "gymline.pair-verdict.v1",
        verdict: chosen ? "right" : "inconsistent",
        chosen_id: chosen ? (row?.rejected.id ?? null) : null,
        rejected_id: chosen ? (row?.chosen.id ?? null) : null,
        confidence: chosen ? 0.8 : null,
        rationales: [],
        manipulation: false,
        reason: null,
        judge: "a judge",
        provider: "anthropic",
        model: "a-model",
        judged_at: "2026-01-01T00:00:00.000Z",
      };
      return JSON.stringify(said);
    };
    const file = join(temporaryFolder("cli"), "verdicts.jsonl");
    writeFileSync(file, `${verdict(first, true)}\n${verdict(second, false)}\n`);
    const { stdout } = await gymline(["preferences", "--store", store, "--votes", file, "--json"]);
    const judged = rowsOf(stdout).filter(({ source }) => source === "judge");
    expect(judged).toHaveLength(1);
    expect(judged[0]).toMatchObject({
      chosen: { id: first?.rejected.id },
      rejected: { id: first?.chosen.id },
    });
  });

  it("writes no file where there is no pair, says why, and exits with 2", async () => {
    const store = await makeStore();
    const file = join(temporaryFolder("cli"), "none.jsonl");
    const none = await gymline(["preferences", "--store", store, "--margin", "0.99", "--out", file]);
    expect(none.code).toBe(2);
    expect(none.stderr).toContain("was not written");
    expect(none.stderr).toContain("2 margin below the minimum");
    expect(existsSync(file)).toBe(false);
    const empty = await gymline(["preferences", "--store", store, "--agent", "nobody"]);
    expect([empty.code, empty.stderr]).toEqual([2, expect.stringContaining("none from 0 scored attempts")]);
  });

  it("takes a file of rewards by task as knowlyr-gym does, and names what is wrong in one", async () => {
    const file = join(temporaryFolder("cli"), "rewards.json");
    writeFileSync(
      file,
      '{"a": [{"id": "x", "reward": 0.2}, {"id": "y", "reward": 0.9}, {"id": "z", "reward": null}]}',
    );
    const pairs = await gymline(["preferences", file, "--json"]);
    expect(rowsOf(pairs.stdout)).toMatchObject([{ chosen: { id: "y" }, rejected: { id: "x" }, margin: 0.7 }]);
    expect(pairs.stderr).toContain("1 no reward");
    writeFileSync(file, '{"a": [{"reward": "high"}]}');
    const wrong = await gymline(["preferences", file]);
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining(`${file}: a.0.reward`)]);
  });

  it.each([
    [["--strategy", "best"], "--strategy"],
    [["--margin", "wide"], "--margin takes a number"],
    [
      ["--strategy", "branches", "--max-length-ratio", "2"],
      "--max-length-ratio goes with pairs of trajectories",
    ],
    [["--min-runs", "2"], "--min-runs goes with --strategy branches"],
    [["--per-task", "0"], "--per-task"],
  ])("refuses %j", async (args, message) => {
    const { code, stderr } = await gymline(["preferences", ...args]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
  });
});
