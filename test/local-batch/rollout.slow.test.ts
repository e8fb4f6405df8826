import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { DirectoryStore } from "../../shared/adapters/local/directory-store.ts";
import { rolloutPlanKey } from "../../shared/contracts/keys.ts";
import { parseRolloutPlan } from "../../shared/contracts/rollout-plan.ts";
import type { JobRequest } from "../../shared/ports/jobs.ts";
import { readRollout } from "../../shared/rollout/read-rollout.ts";
import { StoreLedger } from "../../shared/rollout/store-ledger.ts";
import { trajectorySchema } from "../../shared/trajectory/schema.ts";
import { gymline } from "../cli/program.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { type Bench, eventually, startBench } from "./batch-runner.ts";

const MAIN = resolve(import.meta.dirname, "../../containers/gymline/main.ts");
const TASKS = ["a", "b", "c", "d"];
const EVALUATE = [
  { Action: "RETRY", OnExitCode: "75" },
  { Action: "EXIT", OnExitCode: "2" },
];

interface Rollout {
  readonly folder: string;
  readonly store: DirectoryStore;
  readonly request: JobRequest;
}

/** A plan as `gymline rollout --cloud --dry-run --json` shows it, in a store of this machine. */
async function planned(turns: unknown, broken: readonly string[] = []): Promise<Rollout> {
  const folder = temporaryFolder("rollout");
  const tasks = TASKS.map((id) => {
    const setup = broken.includes(id) ? ["echo broken; false"] : [];
    return `${JSON.stringify({ id, description: "say hi", test_command: "test -e hi", sandbox: { setup } })}
`;
  });
  writeFileSync(join(folder, "tasks.jsonl"), tasks.join(""));
  writeFileSync(join(folder, "turns.json"), JSON.stringify(turns));
  const args = ["--env", "gymline/sandbox", "--agent", "scripted:turns.json", "--tasks", "tasks.jsonl"];
  const shown = await gymline(
    [
      ...["rollout", "--cloud", ...args, "--run", "r", "--seed", "5", "--n", "2", "--shards", "2"],
      ...["--backend", "process-unisolated", "--dry-run", "--json"],
    ],
    { cwd: folder },
  );
  expect(shown.stderr).not.toContain("gymline:");
  const store = new DirectoryStore(join(folder, "store"));
  await store.put(rolloutPlanKey("r"), new TextEncoder().encode(shown.stdout));
  await store.put("rollouts/r/tasks.jsonl", new TextEncoder().encode(tasks.join("")));
  const places = ["--store", join(folder, "store"), "--drop", join(folder, "drop")];
  return {
    folder,
    store,
    request: {
      name: "rollout-r",
      command: ["job", "rollout", "--run", "r", ...places, "--grace", "1"],
      arraySize: 2,
    },
  };
}

function benchFor(attempts = 3): Promise<Bench> {
  return startBench({
    container: {
      Image: "gymline:latest",
      Environment: [{ Name: "GYMLINE_ROLLOUT_CONCURRENCY", Value: "2" }],
    },
    properties: { RetryStrategy: { Attempts: attempts, EvaluateOnExit: EVALUATE } },
    options: {
      executor: { kind: "process", programs: { "gymline:*": [process.execPath, MAIN] } },
      stopTimeout: 20,
    },
  });
}

async function submit(bench: Bench, { request }: Rollout): Promise<string> {
  return bench.submit("", {
    arrayProperties: { size: request.arraySize },
    containerOverrides: { command: [...request.command] },
  });
}

const dropped = ({ folder }: Rollout): readonly string[] => {
  const place = join(folder, "drop/default/rollouts/r");
  mkdirSync(place, { recursive: true });
  return readdirSync(place)
    .filter((name) => !name.startsWith("."))
    .toSorted();
};

const EVERY = TASKS.flatMap((id) => [`${id}.0.json`, `${id}.1.json`]);
const turns = (command: string) => [
  { calls: [{ tool: "shell", params: { command } }] },
  { calls: [{ tool: "submit" }] },
];

/** Processes of the job program in the folder of an attempt that serve this shard. */
function jobProcesses(shard: number): readonly number[] {
  const found = spawnSync("pgrep", ["-f", "job rollout --run r "], { encoding: "utf8" }).stdout.split("\n");
  return found.map(Number).filter((pid) => {
    if (pid === 0) return false;
    try {
      const env = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
      return env.includes(`AWS_BATCH_JOB_ARRAY_INDEX=${shard}`) && readlinkSync(`/proc/${pid}/exe`) !== "";
    } catch {
      return false;
    }
  });
}

describe("a rollout on the local Batch runner", () => {
  it("brings a trajectory of each attempt at each task into the drop folder", async () => {
    const rollout = await planned(turns("touch hi"));
    const bench = await benchFor();
    const parent = await bench.ended(await submit(bench, rollout));
    expect(parent.status).toBe("SUCCEEDED");
    expect(dropped(rollout)).toEqual(EVERY);
    const texts = dropped(rollout).map((name) =>
      readFileSync(join(rollout.folder, "drop/default/rollouts/r", name), "utf8"),
    );
    for (const text of texts) {
      const { extra } = trajectorySchema.parse(JSON.parse(text));
      expect(extra?.gymline?.outcome).toMatchObject({ success: true });
    }
    expect(new Set(texts).size).toBe(EVERY.length);
    const state = await readRollout(rollout.store, "r");
    expect(state).toMatchObject({ done: 8, failed: 0, succeeded: 8 });
    expect(state.shards.map(({ state: ended, attempt }) => [ended, attempt])).toEqual([
      ["ended", 1],
      ["ended", 1],
    ]);
  }, 300_000);

  it("does each episode once though a job is killed in the middle and tried again", async () => {
    const rollout = await planned(turns("sleep 0.7; touch hi"));
    const bench = await benchFor();
    const id = await submit(bench, rollout);
    // Of shard 0, whose episodes are those with the attempt 0.
    await eventually(
      () => dropped(rollout).filter((name) => name.endsWith(".0.json")).length,
      (count) => count > 0,
    );
    const before = new Map(
      dropped(rollout).map((name) => [
        name,
        readFileSync(join(rollout.folder, "drop/default/rollouts/r", name), "utf8"),
      ]),
    );
    for (const pid of jobProcesses(0)) process.kill(pid, "SIGKILL");
    const parent = await bench.ended(id);
    expect(parent.status).toBe("SUCCEEDED");
    const killed = await bench.job(`${id}:0`);
    expect(killed.attempts?.map(({ container }) => container?.exitCode)).toEqual([137, 0]);
    expect(dropped(rollout)).toEqual(EVERY);
    // What was there before the kill is the very same afterwards.
    for (const [name, text] of before) {
      expect(readFileSync(join(rollout.folder, "drop/default/rollouts/r", name), "utf8")).toBe(text);
    }
    const plan = parseRolloutPlan(await rollout.store.read(rolloutPlanKey("r")), "plan");
    const ledger = new StoreLedger({
      store: rollout.store,
      drop: new DirectoryStore(join(rollout.folder, "drop")),
      run: "r",
      folder: plan.folder,
      episodes: EVERY.map((name) => name.slice(0, -".json".length)),
    });
    const entries = [...(await ledger.entries()).values()];
    expect(entries.map(({ file }) => file).toSorted()).toEqual(
      EVERY.map((name) => `default/rollouts/r/${name}`),
    );
    expect((await readRollout(rollout.store, "r")).shards[0]).toMatchObject({ attempt: 2, done: 4 });
  }, 300_000);

  it("gives up what is under way when it is stopped, says what that was, and is tried again", async () => {
    const rollout = await planned(turns("sleep 3; touch hi"));
    const bench = await benchFor(1);
    const id = await submit(bench, rollout);
    await eventually(
      () => readRollout(rollout.store, "r"),
      ({ shards }) => shards.length === 2,
    );
    for (const shard of [0, 1]) for (const pid of jobProcesses(shard)) process.kill(pid, "SIGTERM");
    expect((await bench.ended(id)).status).toBe("FAILED");
    expect((await bench.job(`${id}:0`)).container?.exitCode).toBe(75);
    const { shards } = await readRollout(rollout.store, "r");
    expect(shards.map(({ state }) => state)).toEqual(["interrupted", "interrupted"]);
    expect(shards[0]?.under_way).toHaveLength(2);
    expect(dropped(rollout)).toEqual([]);
    const again = await bench.ended(await submit(bench, rollout));
    expect(again.status).toBe("SUCCEEDED");
    expect(dropped(rollout)).toEqual(EVERY);
  }, 300_000);

  it("ends with 2 where some episodes failed and with 1 where all did, each of them recorded", async () => {
    const rollout = await planned(turns("touch hi"), ["b"]);
    const bench = await benchFor(2);
    const id = await submit(bench, rollout);
    expect((await bench.ended(id)).status).toBe("FAILED");
    const child = await bench.job(`${id}:0`);
    expect(child.container?.exitCode).toBe(2);
    expect(child.attempts).toHaveLength(1);
    const { done, failed } = await readRollout(rollout.store, "r");
    expect({ done, failed }).toEqual({ done: 6, failed: 2 });
    const recorded = JSON.parse(
      Buffer.from(await rollout.store.read("rollouts/r/episodes/b.0.json")).toString(),
    );
    expect(recorded).toMatchObject({ kind: "failed", file: null });

    const hopeless = await planned(turns("touch hi"), TASKS);
    const all = await submit(bench, hopeless);
    await bench.ended(all);
    const ended = await bench.job(`${all}:1`);
    expect([ended.container?.exitCode, ended.attempts?.length]).toEqual([1, 2]);
  }, 300_000);
});
