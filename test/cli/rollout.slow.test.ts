import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rolloutPlanSchema } from "../../shared/contracts/rollout-plan.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { gymline } from "./program.ts";

function workplace(): string {
  const cwd = temporaryFolder("rollout");
  writeFileSync(join(cwd, "tasks.jsonl"), '{"id":"a","description":"x"}\n{"id":"b","description":"y"}\n');
  writeFileSync(join(cwd, "turns.json"), '[{"message":"done"}]');
  writeFileSync(join(cwd, "system.md"), "Be brief.\n");
  writeFileSync(
    join(cwd, "repos.jsonl"),
    '{"id":"a","description":"x","sandbox":{"repo":"repositories/stats"}}\n',
  );
  return cwd;
}

const BASE = ["rollout", "--cloud", "--env", "gymline/sandbox", "--tasks", "tasks.jsonl", "--dry-run"];

describe("gymline rollout", () => {
  it("shows the plan that it would submit, with the files that options name in it and no key", async () => {
    const args = ["--agent", "anthropic", "--model", "m", "--system", "system.md", "--max-cost", "0.5"];
    const more = ["--n", "3", "--shards", "100", "--parallel", "2", "--seed", "7", "--project", "team"];
    const { stdout } = await gymline([...BASE, ...args, ...more, "--run", "r", "--json"], {
      cwd: workplace(),
      env: { ANTHROPIC_API_KEY: "sk-secret" },
    });
    expect(stdout).not.toContain("sk-secret");
    expect(rolloutPlanSchema.parse(JSON.parse(stdout))).toMatchObject({
      agent: { kind: "model", provider: "anthropic", model: "m", system: "Be brief." },
      // Not more jobs than episodes.
      ...{ run: "r", folder: "team/rollouts/r", attempts: 3, seed: 7, shards: 6, concurrency: 2 },
      tasks: { key: "rollouts/r/tasks.jsonl", count: 2 },
      limits: { maxCostUsd: 0.5 },
    });
  });

  it("names a model of the store that acts in the job, with how it writes", async () => {
    const args = ["--agent", "onnx", "--model", "models/agent/3fa2/", "--top-p", "0.9", "--context", "512"];
    const { stdout } = await gymline([...BASE, ...args, "--json"], { cwd: workplace() });
    expect(rolloutPlanSchema.parse(JSON.parse(stdout)).agent).toEqual({
      ...{ kind: "onnx", model: "models/agent/3fa2", topP: 0.9, contextTokens: 512 },
    });
  });

  it.each([
    [["--agent", "scripted:turns.ts"], /a module and cannot go along/],
    [["--agent", "scripted:turns.json", "--env-module", "x"], /--env-module x cannot go along/],
    [
      ["--agent", "scripted:turns.json", "--tasks", "repos.jsonl"],
      /begins from .*repositories.stats, which is not there/,
    ],
    [["--agent", "nobody"], /there is no agent "nobody"/],
    [["--agent", "onnx", "--model", "m"], /m is no model of the store: .*give models\/<name>\/<version>/],
    [["--agent", "onnx", "--model", "models/../x"], /is no model of the store/],
    [["--agent", "random"], /random acts on this machine alone: use gymline collect/],
    [["--agent", "anthropic", "--model", "m", "--top-p", "0.9"], /--top-p is for --agent onnx/],
    [["--agent", "scripted:turns.json", "--run", "a/b"], /--run \(letters/],
    [["--agent", "scripted:turns.json", "--project", "a/b"], /--project \(one label/],
    [["--agent", "scripted:turns.json", "--env", "gymline/none"], /there is no environment/],
    [["--agent", "anthropic", "--model", "m", "--gpu"], /--gpu brings a server/],
    [["--resume", "r"], /--resume is of a rollout that has its plan/],
  ])("refuses what a job could not do: %j", async (args, message) => {
    const ended = await gymline([...BASE, ...args], { cwd: workplace() });
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringMatching(message)]);
  });

  it("names gymline collect where it is not to run in the cloud", async () => {
    const ended = await gymline(["rollout", "--agent", "scripted:turns.json"], { cwd: workplace() });
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringMatching(/use gymline collect/)]);
  });

  it("says of a job's environment what it lacks", async () => {
    const env = { GYMLINE_DROP_BUCKET: undefined, GYMLINE_STORE_BUCKET: undefined };
    const ended = await gymline(["job", "rollout", "--run", "r"], { cwd: workplace(), env });
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringMatching(/lacks GYMLINE_DROP_BUCKET/)]);
    const missing = await gymline(["job", "rollout", "--run", "r", "--store", "s", "--drop", "d"], {
      cwd: workplace(),
    });
    expect([missing.code, missing.stderr]).toEqual([
      1,
      expect.stringMatching(/holds no rollouts\/r\/plan.json/),
    ]);
  });
});
