import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DirectoryStore } from "../../shared/adapters/local/directory-store.ts";
import { rolloutEpisodeKey, rolloutPlanKey, rolloutTasksKey } from "../../shared/contracts/keys.ts";
import { rolloutPlanSchema } from "../../shared/contracts/rollout-plan.ts";
import { type Ended, gymline } from "../cli/program.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { tinyModel } from "../inference/expected.ts";

const MODEL = "models/agent/1";
const TASKS = `${JSON.stringify({
  id: "hours",
  description: "When do you open?",
  conversation: {
    criteria: [
      { kind: "called", tool: "query_stats", arguments: { query: { equals: "opening hours" } } },
      { kind: "message", which: "last", text: { contains: "nine" } },
    ],
  },
})}\n`;

const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

/** A store with a tiny model as a training leaves it, and a plan in which it acts. */
async function workplace(
  over: Record<string, unknown> = {},
): Promise<{ readonly cwd: string; readonly store: DirectoryStore }> {
  const cwd = temporaryFolder("stored-model");
  const store = new DirectoryStore(join(cwd, "store"));
  const folder = tinyModel("tiny-qwen2");
  const files: { path: string; bytes: number; sha256: string }[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name === "expected.json") continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    const own = `onnx/${path.slice(folder.length + 1)}`;
    await store.put(`${MODEL}/${own}`, bytes);
    files.push({ path: own, bytes: bytes.length, sha256: sha256(bytes) });
  }
  const manifest = { schema: "gymline.model-files.v1", run: "1", algorithm: "sft", files };
  await store.put(`${MODEL}/manifest.json`, Buffer.from(JSON.stringify(manifest)));
  // A run that was stopped left it: no manifest lists it, and no job may take it for a part of the model.
  await store.put(`${MODEL}/onnx/chat_template.jinja`, Buffer.from("{{ raise_exception('not this one') }}"));
  const plan = rolloutPlanSchema.parse({
    ...{ schema: "gymline.rollout-plan.v1", run: "r", folder: "default/rollouts/r" },
    createdAt: "2026-01-01T00:00:00.000Z",
    env: { id: "gymline/conversation-v1", options: {} },
    agent: { kind: "onnx", model: MODEL },
    tasks: { key: rolloutTasksKey("r"), count: 1, sha256: sha256(TASKS) },
    ...{ attempts: 2, seed: 1, shards: 1, limits: {}, backend: "process" },
    ...over,
  });
  await store.put(rolloutTasksKey("r"), Buffer.from(TASKS));
  await store.put(rolloutPlanKey("r"), Buffer.from(JSON.stringify(plan)));
  return { cwd, store };
}

const run = (cwd: string): Promise<Ended> =>
  gymline(["job", "rollout", "--run", "r", "--store", "store", "--drop", "drop"], { cwd });

describe("a job of a rollout with a model of the store", () => {
  it("lets it act, names it in the logs, and takes only what the manifest lists", async () => {
    const { cwd, store } = await workplace();
    const ended = await run(cwd);
    expect(ended).toMatchObject({ code: 0 });
    for (const attempt of [0, 1]) {
      const entry = JSON.parse(
        Buffer.from(await store.read(rolloutEpisodeKey("r", `hours.${attempt}`))).toString(),
      );
      expect(entry).toMatchObject({ kind: "done", success: true });
      const log = JSON.parse(readFileSync(join(cwd, "drop", entry.file), "utf8"));
      const names = log.steps.flatMap((step: { model_name?: string }) => step.model_name ?? []);
      expect(new Set(names)).toEqual(new Set(["agent/1"]));
    }
  });

  it("drops no log where only what became of the episodes is wanted, and does nothing twice", async () => {
    const { cwd, store } = await workplace({ logs: "none" });
    expect(await run(cwd)).toMatchObject({ code: 0 });
    const key = rolloutEpisodeKey("r", "hours.0");
    const before = Buffer.from(await store.read(key)).toString();
    expect(JSON.parse(before)).toMatchObject({ kind: "done", success: true, file: null });
    expect(existsSync(join(cwd, "drop/default"))).toBe(false);
    expect(await run(cwd)).toMatchObject({ code: 0 });
    expect(Buffer.from(await store.read(key)).toString()).toBe(before);
  });

  it("takes no file that is another than the manifest says", async () => {
    const { cwd, store } = await workplace();
    await store.put(`${MODEL}/onnx/config.json`, Buffer.from("{}"));
    const ended = await run(cwd);
    expect([ended.code, ended.stderr]).toEqual([
      1,
      expect.stringMatching(/config\.json is not what the manifest of models\/agent\/1 says/),
    ]);
  });

  it("says what to do where the model has no export", async () => {
    const { cwd } = await workplace({ agent: { kind: "onnx", model: "models/agent/2" } });
    const ended = await run(cwd);
    expect([ended.code, ended.stderr]).toEqual([
      1,
      expect.stringMatching(/nothing below models\/agent\/2\/onnx\/: train with export=onnx/),
    ]);
  });
});
