import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type PythonEnvironment, pythonEnvironment } from "../../infra/local/python-environment.ts";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import { type ScriptedTurn, scriptedAgent } from "../../shared/agents/scripted.ts";
import { makeEnv } from "../../shared/env/envs.ts";
import { runEpisode } from "../../shared/env/rollout/run-episode.ts";
import { canonicalDocuments } from "./canonical-documents.ts";

const root = resolve(import.meta.dirname, "../..");

const verdictSchema = z.object({
  checked: z.int(),
  invalid: z.array(z.object({ name: z.string(), problems: z.array(z.string()) })),
});

type Verdict = z.infer<typeof verdictSchema>;

describe("Harbor's own models", () => {
  let harbor: PythonEnvironment = { kind: "absent", reason: "not looked for yet" };

  beforeAll(async () => {
    harbor = await pythonEnvironment({
      folder: join(root, ".cache/harbor-venv"),
      minors: [13, 12, 14],
      // Harbor's trajectory models need nothing of Harbor's own dependencies but pydantic.
      installs: [["--no-deps", "harbor==0.25.0"], ["pydantic==2.14.3"]],
    });
  });

  /** What Harbor says of the documents. */
  async function verdict(documents: AsyncIterable<unknown> | Iterable<unknown>): Promise<Verdict> {
    if (harbor.kind === "absent") throw new Error(harbor.reason);
    const folder = await mkdtemp(join(tmpdir(), "gymline-harbor-"));
    try {
      const file = join(folder, "documents.jsonl");
      await using lines = await open(file, "w");
      for await (const document of documents) await lines.write(`${JSON.stringify(document)}\n`);
      const script = join(import.meta.dirname, "validate_atif.py");
      const { stdout } = await promisify(execFile)(harbor.python, [script, file], { maxBuffer: 2 ** 26 });
      return verdictSchema.parse(JSON.parse(stdout));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  it("reject a document whose result answers no call, so that their word counts", async (context) => {
    if (harbor.kind === "absent") context.skip(harbor.reason);
    const observation = { results: [{ source_call_id: "nobody", content: "x" }] };
    const trajectory = {
      schema_version: "ATIF-v1.8",
      agent: { name: "a", version: "1" },
      steps: [{ step_id: 1, source: "agent", message: "", observation }],
    };
    const { checked, invalid } = await verdict([{ name: "wrong", trajectory }]);
    expect(checked).toBe(1);
    expect(invalid.map(({ name }) => name)).toEqual(["wrong"]);
  });

  for (const [name, folder] of [
    ["the samples", join(root, "shared/samples/drop")],
    ["the real logs of other agents", resolve(root, "../shared/fixtures")],
  ] as const) {
    it(`accept every document made of ${name}`, async (context) => {
      context.skip(!existsSync(folder), `${relative(root, folder)} is absent`);
      if (harbor.kind === "absent") context.skip(harbor.reason);
      const { checked, invalid } = await verdict(canonicalDocuments(folder));
      expect(invalid).toEqual([]);
      expect(checked).toBeGreaterThan(0);
    });
  }

  it("accept episodes as they are recorded, finished or failed", async (context) => {
    if (harbor.kind === "absent") context.skip(harbor.reason);
    const env = makeEnv("gymline/engineering");
    const usage = { input: 3, cacheRead: 2, cacheWrite: 1, output: 2 };
    const tokens = { promptIds: [1, 2], completionIds: [3, 4], logprobs: [-0.5, -1] };
    const calls = [
      { tool: "grep", params: { pattern: "x" } },
      { tool: "nope", params: {}, rawArguments: "{" },
    ];
    const scripts: readonly (readonly ScriptedTurn[])[] = [
      [
        { message: "Looking.", reasoning: "Where is it?", usage, tokens, costUsd: 0.5, calls },
        { message: "Found." },
        { calls: [{ tool: "submit", params: { conclusion: "x" } }] },
      ],
      [{ calls }],
      [],
    ];
    const episodes = scripts.map(async (script, attempt) => {
      const agent = { ...scriptedAgent(script, { systemPrompt: "Be brief." }), model: "m" };
      const task = { id: "t", description: "Find x." };
      const run = { agent, task, run: "r", attempt, clock: systemClock };
      const { trajectory } = await runEpisode({ ...run, env: attempt === 0 ? env : makeEnv(env.id) });
      return { name: `attempt ${attempt}`, trajectory };
    });
    const { checked, invalid } = await verdict(await Promise.all(episodes));
    expect(invalid).toEqual([]);
    expect(checked).toBe(3);
  });
});
