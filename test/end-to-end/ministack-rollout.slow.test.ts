import { mkdtempDisposableSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { trajectoryKey } from "../../shared/contracts/keys.ts";
import { gymline } from "../cli/program.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { useEngine } from "../local-stack/engine.ts";
import { deployPipeline, type TestDeployment, until } from "./deployment.ts";

const TASKS = ["say-hi", "say-no"];

describe("a rollout on the local AWS stack", { timeout: 600_000 }, () => {
  let deployment: TestDeployment;
  const batchHome = mkdtempDisposableSync(join(tmpdir(), "gymline-batch-"));
  const engine = useEngine("ministack", async ({ running }) => {
    deployment = await deployPipeline({
      engine: running,
      batchHome: batchHome.path,
      config: { name: "roll", onDelete: "destroy", batch: { rollouts: { concurrency: 1 } } },
    });
  });
  afterAll(async () => {
    await deployment?.close();
    batchHome.remove();
  });

  const cli = (cwd: string, ...args: readonly string[]) =>
    gymline(["rollout", "--cloud", "--deployment", "roll", "--json", ...args], {
      cwd,
      env: {
        ...engine.running.env,
        AWS_ENDPOINT_URL_BATCH: deployment.batchUrl,
      },
    });

  it("brings trajectories from one command into the store, each attempt once, also when submitted again", async () => {
    const cwd = temporaryFolder("rollout");
    const task = (id: string) =>
      `${JSON.stringify({ id, description: "say hi", test_command: "grep -q hi said" })}\n`;
    writeFileSync(join(cwd, "tasks.jsonl"), TASKS.map(task).join(""));
    const says = (word: string) => [
      { calls: [{ tool: "shell", params: { command: `echo ${word} > said` } }] },
      { calls: [{ tool: "submit" }] },
    ];
    writeFileSync(
      join(cwd, "turns.json"),
      JSON.stringify({ tasks: { "say-hi": says("hi"), "say-no": says("no") } }),
    );
    const run = await cli(
      cwd,
      ...["--env", "gymline/sandbox", "--agent", "scripted:turns.json", "--tasks", "tasks.jsonl"],
      ...["--n", "2", "--shards", "2", "--run", "first", "--seed", "3", "--backend", "process-unisolated"],
      ...["--wait", "--poll", "1"],
    );
    expect(run.stderr).not.toContain("gymline:");
    expect(JSON.parse(run.stdout)).toMatchObject({
      ...{ run: "first", episodes: 4, done: 4, failed: 0, succeeded: 2, job_state: "SUCCEEDED" },
      folder: "default/rollouts/first",
    });
    expect(run.code).toBe(0);

    const again = await cli(cwd, "--resume", "first", "--wait", "--poll", "1");
    expect([again.code, JSON.parse(again.stdout)]).toMatchObject([0, { done: 4 }]);
    const status = await cli(cwd, "--status", "first");
    expect(JSON.parse(status.stdout)).toMatchObject({ done: 4, progress: [{ shard: 0 }, { shard: 1 }] });
    const twice = await cli(
      cwd,
      ...["--env", "gymline/sandbox", "--agent", "scripted:turns.json", "--tasks", "tasks.jsonl"],
      ...["--run", "first"],
    );
    expect([twice.code, twice.stderr]).toEqual([1, expect.stringContaining("--resume first")]);

    const entries = await until(
      "all trajectories are scored",
      { withinMs: 120_000, everyMs: 500 },
      async () => {
        const found = await deployment.entries();
        const scored = found.filter(({ scorer }) => scorer !== null);
        return scored.length >= 4 ? { done: scored } : { waiting: found.length };
      },
    );
    expect(entries).toHaveLength(4);
    const facts = entries.map(({ taskId, success }) => `${taskId} ${success}`);
    expect(facts.toSorted()).toEqual(["say-hi true", "say-hi true", "say-no false", "say-no false"]);
    for (const { id } of entries) expect(await deployment.store.exists(trajectoryKey(id))).toBe(true);
  });

  it("says what to switch on where a deployment has no such machines", async () => {
    const cwd = temporaryFolder("rollout");
    writeFileSync(join(cwd, "tasks.jsonl"), '{"id":"a","description":"b"}\n');
    const refused = await cli(
      cwd,
      ...["--gpu", "--env", "gymline/sandbox", "--agent", "openai-compatible", "--model", "m"],
      ...["--tasks", "tasks.jsonl", "--run", "second"],
    );
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("batch.rollouts")]);
  });
});
