import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ModelServer, modelServer } from "../factories/model-server/model-server.ts";
import { answer, status } from "../factories/model-server/replies.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { judged, scores } from "../stages/judge/judge-desk.ts";
import { type Ended, goodLogs, gymline } from "./program.ts";

interface Bench {
  readonly server: ModelServer;
  readonly store: string;
  judge(...args: readonly string[]): Promise<Ended>;
  /** The command's result as JSON. */
  json(...args: readonly string[]): Promise<Record<string, unknown>>;
}

async function bench(server: ModelServer): Promise<Bench> {
  const store = join(temporaryFolder("cli"), "out");
  expect((await gymline(["run", goodLogs(), "--out", store, "--success", "any"])).code).toBe(0);
  const env = { ANTHROPIC_API_KEY: "key", ANTHROPIC_BASE_URL: undefined };
  const judge = (...args: readonly string[]) =>
    gymline(["judge", ...args, "--store", store, "--base-url", server.url], { env });
  return {
    server,
    store,
    judge,
    json: async (...args) => JSON.parse((await judge(...args, "--json")).stdout),
  };
}

describe("gymline judge", () => {
  it("says what it would cost, without a call and without a key", async () => {
    const { server, store } = await bench(await modelServer(scores(0.5)));
    const args = ["judge", "--dry-run", "--store", store, "--base-url", server.url];
    const shown = await gymline(args, { env: { ANTHROPIC_API_KEY: undefined } });
    expect([shown.code, shown.stderr]).toEqual([0, ""]);
    expect(shown.stdout).toContain("3 trajectories to judge with claude-haiku-5-5");
    expect(shown.stdout).toMatch(/^ *direct +3 .*\$0\.\d{4}/m);
    expect(shown.stdout).toMatch(/^ *batch +3 /m);
    expect(server.calls).toHaveLength(0);
    const none = await gymline(["judge", "--direct", "--store", store], {
      env: { ANTHROPIC_API_KEY: undefined },
    });
    expect([none.code, none.stdout]).toEqual([1, ""]);
    expect(none.stderr).toContain("set the environment variable ANTHROPIC_API_KEY");
  });

  it("judges directly, says how rewards changed, and asks nothing again", async () => {
    const { server, store, judge, json } = await bench(await modelServer(scores(0.1)));
    const shown = await judge("--direct");
    expect([shown.code, shown.stderr]).toEqual([0, ""]);
    expect(shown.stdout).toContain("judged 3 trajectories; 9 of 9 steps asked about have scores");
    expect(shown.stdout).toContain("3 rewards changed, by −0.");
    expect(await json("--direct")).toMatchObject({ judged: 0, calls: 0, leftOut: { judged: 3 } });
    expect(server.asked).toHaveLength(3);
    const listed = await gymline(["list", "--store", store, "--json"]);
    const [first] = listed.stdout.split("\n");
    const { id } = JSON.parse(first ?? "");
    const block = await gymline(["show", id, "--store", store, "--judge"]);
    expect(block.stdout).toContain("Step 1 is so.");
  });

  it("submits a batch, says how to take it in, and waits for it where asked to", async () => {
    const { server, judge, json } = await bench(await modelServer(scores(0.5), { batchPolls: 2 }));
    const sent = await judge();
    expect(sent.code).toBe(0);
    expect(sent.stdout).toContain("submitted 3 calls as batch msgbatch_");
    expect(sent.stdout).toContain("gymline judge --collect --store");
    expect((await judge("--status")).stdout).toContain("msgbatch_");
    expect(await json("--collect")).toMatchObject({ judged: 0, collected: 0, open: [{ requests: 3 }] });
    const waited = await json("--collect", "--wait", "--poll", "1");
    expect(waited).toMatchObject({ judged: 3, collected: 1, open: [] });
    expect(await json("--status")).toMatchObject({ open: [], spent: { reserved: 0 } });
    expect(server.asked).toHaveLength(3);
  });

  it("stops at the limit on money, says how many are left, and goes on later", async () => {
    const { server, judge, json } = await bench(await modelServer(scores(0.5)));
    const { mostUsd } = (await json("--dry-run")) as { mostUsd: { direct: number } };
    const stopped = await judge("--direct", "--max-usd", String(mostUsd.direct / 3.1));
    expect(stopped.code).toBe(2);
    expect(stopped.stdout).toMatch(/limit on money is reached: [123] trajector(y|ies) left/);
    expect(server.asked.length).toBeLessThan(3);
    expect(await json("--direct")).toMatchObject({ left: 0 });
    expect(server.asked).toHaveLength(3);
    const unknown = await judge("--direct", "--model", "some-model");
    expect([unknown.code, unknown.stdout]).toEqual([1, ""]);
    expect(unknown.stderr).toContain("what some-model costs is not known");
  });

  it("leaves out what the gate says, and says so", async () => {
    const { judge, json } = await bench(await modelServer(scores(0.5)));
    const left = await json("--dry-run", "--band", "0..0.001", "--share", "0");
    expect(left).toMatchObject({ trajectories: 0, leftOut: { gate: 3 }, gate: { certain: 3 } });
    expect((await judge("--band", "high")).stderr).toContain("--band takes two rewards");
    expect((await judge("--provider", "openai-compatible")).stderr).toContain("--model");
  });

  it("goes on where it was killed, without a second payment", async () => {
    const server = await modelServer((asked) =>
      answer(judged(asked, 0.5), { delayMs: asked.nth === 0 ? 0 : 60_000 }),
    );
    const { store, json } = await bench(server);
    const stop = new AbortController();
    const env = { ANTHROPIC_API_KEY: "key" };
    const running = gymline(["judge", "--direct", "--store", store, "--base-url", server.url], {
      env,
      signal: stop.signal,
    });
    await expect.poll(() => server.asked.length, { timeout: 30_000 }).toBe(3);
    await expect
      .poll(() => server.calls.filter(({ status: code }) => code === 200).length, { timeout: 30_000 })
      .toBe(1);
    await expect.poll(() => existsSync(join(store, "judge-cache")), { timeout: 30_000 }).toBe(true);
    stop.abort();
    await running;
    server.use(scores(0.5));
    expect(await json("--direct")).toMatchObject({ calls: 2 });
  });

  it("says what is wrong with the provider, and keeps what it has", async () => {
    const { judge } = await bench(await modelServer(() => status(401)));
    const refused = await judge("--direct");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("check the API key");
    expect(refused.stderr).not.toContain(" at ");
  });

  it("says how far the judge agrees with itself, and compares pairs both ways round", async () => {
    const server = await modelServer(scores(0.5));
    const { store, judge, json } = await bench(server);
    const repeated = await judge("--repeat", "2", "--limit", "2");
    expect([repeated.code, repeated.stderr]).toEqual([0, ""]);
    expect(repeated.stdout).toContain("2 trajectories judged 2 times each (seed 42)");
    expect(repeated.stdout).toMatch(/goal_progress +6 +0\.000/);
    const listed = await gymline(["list", "--store", store, "--json"]);
    const ids = listed.stdout
      .split("\n")
      .flatMap((line) => (line === "" ? [] : [String(JSON.parse(line).id)]));
    const folder = temporaryFolder("cli");
    const pairs = join(folder, "pairs.jsonl");
    const verdicts = join(folder, "verdicts.jsonl");
    const row = (left: number, right: number) =>
      JSON.stringify({ task_id: "t", left_id: ids[left], right_id: ids[right] });
    writeFileSync(pairs, `${row(0, 1)}\n${row(1, 2)}\n`);
    server.use(() => answer({ rationale: "So.", better: "left", confidence: 1, manipulation: false }));
    const before = server.asked.length;
    const compared = await judge("--pairs", pairs, "--out", verdicts);
    expect([compared.code, compared.stderr]).toEqual([0, ""]);
    expect(compared.stdout).toContain("the place decided in 1.000");
    expect(server.asked.length - before).toBe(4);
    // A run that was stopped in the middle of a line is gone on with.
    const [first = "", second = ""] = readFileSync(verdicts, "utf8").split("\n");
    expect(JSON.parse(second)).toMatchObject({ verdict: "inconsistent", chosen_id: null });
    writeFileSync(verdicts, `${first}\n${second.slice(0, 60)}`);
    expect(await json("--pairs", pairs, "--out", verdicts)).toMatchObject({ pairs: 2, calls: 2 });
    writeFileSync(pairs, `${row(0, 1)}\n{"task_id": 1}\n`);
    const bad = await judge("--pairs", pairs, "--out", verdicts);
    expect(bad.stderr).toContain("pairs.jsonl, line 2: task_id");
  });

  it("takes its settings from the configuration file", async () => {
    const server = await modelServer(scores(0.5));
    const { store } = await bench(server);
    const config = join(temporaryFolder("cli"), "gymline.json");
    writeFileSync(config, JSON.stringify({ judge: { mode: "steps", baseUrl: server.url, batch: false } }));
    const run = await gymline(["judge", "--store", store, "--config", config, "--json"], {
      env: { ANTHROPIC_API_KEY: "key" },
    });
    expect(JSON.parse(run.stdout)).toMatchObject({ judged: 3, calls: 9 });
    writeFileSync(config, JSON.stringify({ judge: { mode: "guess" } }));
    const bad = await gymline(["judge", "--store", store, "--config", config]);
    expect(bad.stderr).toContain("judge.mode");
    expect(readFileSync(config, "utf8")).toContain("guess");
  });
});
