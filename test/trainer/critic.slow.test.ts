import { execFile, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { loadDeployment } from "../../infra/config.ts";
import { bundleFunction, REPOSITORY, SETTINGS_FILE } from "../../infra/constructs/function-bundle.ts";
import type { PythonEnvironment } from "../../infra/local/python-environment.ts";
import { InlineCompute } from "../../shared/adapters/local/compute-inline.ts";
import { taskSettings } from "../../shared/adapters/local/task-settings.ts";
import { loadCritic } from "../../shared/adapters/onnx/load-critic.ts";
import { onnxValueModel } from "../../shared/adapters/onnx/onnx-value-model.ts";
import { deployedSettingsSchema, planOf } from "../../shared/contracts/deployed-settings.ts";
import { STAGES } from "../../shared/contracts/deployment-config.ts";
import { functionEnvironmentSchema } from "../../shared/contracts/function-environment.ts";
import { trajectoryKey } from "../../shared/contracts/keys.ts";
import { criticSetNumber } from "../../shared/critic/critic-document.ts";
import { criticValues } from "../../shared/critic/critic-values.ts";
import { storedScoreSchema } from "../../shared/stages/score-trajectory.ts";
import { type Ended, gymline } from "../cli/program.ts";
import { agentStep, runOf } from "../critic/runs.ts";
import { chatRow } from "../factories/logs.ts";
import { trainerEnvironment } from "./venv.ts";

const rowSchema = z.object({
  id: z.string(),
  group: z.string(),
  set: z.string(),
  step: z.int(),
  label: z.int(),
  features: z.array(z.number()),
});
const sklearnSchema = z.object({ kind: z.string(), probabilities: z.array(z.number()) });

/**
 * Logs whose failures run the same thing again and again, while successes pass their tests. Of two agents one looks at
 * more before it begins.
 */
function logs(count: number): string {
  return Array.from({ length: count }, (_, i) => {
    const success = (i * 7) % 5 < 2;
    const again = Array.from(
      { length: 1 + (i % 4) },
      () => ["python a.py", "Traceback (most recent call last)"] as const,
    );
    // One in six acts like the other kind.
    const calls =
      success !== (i % 6 === 0)
        ? ([
            ["cat a.py", "x = 1"],
            ["pytest -q", "3 passed in 0.1s"],
          ] as const)
        : ([["cat a.py", "x = 1"], ...again] as const);
    const looks = Array.from({ length: i % 2 === 0 ? 0 : 5 }, (_, n) => [`cat ${n}.py`, `y = ${n}`] as const);
    return chatRow({
      task: `owner__repo${i % 9}-${i}`,
      success,
      calls: [...looks, ...calls],
      answer: "Done.",
      more: { agent: i % 2 === 0 ? "brisk" : "careful" },
    });
  }).join("\n");
}

describe("a trained critic", () => {
  let environment: PythonEnvironment = { kind: "absent", reason: "not looked for yet" };
  let work = "";
  let table: Ended = { code: null, stdout: "", stderr: "" };
  let trained: Ended = { code: null, stdout: "", stderr: "" };
  let critic = "";

  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), "gymline-critic-"));
    environment = await trainerEnvironment();
    if (environment.kind === "absent") return;
    mkdirSync(join(work, "logs"));
    writeFileSync(join(work, "logs/runs.jsonl"), `${logs(90)}\n${chatRow({ more: { success: null } })}\n`);
    table = await gymline(["critic", "table", "logs", "--out", "table.jsonl"], { cwd: work });
    critic = join(work, "critic");
    const args = ["--table", "table.jsonl", "--out", critic, "--python", environment.python, "--folds", "3"];
    trained = await gymline(["critic", "train", ...args], { cwd: work });
  });
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  const rows = (): readonly z.infer<typeof rowSchema>[] =>
    readFileSync(join(work, "table.jsonl"), "utf8")
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => rowSchema.parse(JSON.parse(line)));

  it("comes of a table with a row for each prefix of the runs whose outcome is known", (context) => {
    if (environment.kind === "absent") return context.skip(environment.reason);
    expect(table).toMatchObject({ code: 0, stdout: "" });
    expect(table.stderr).toContain(
      "90 trajectories (36 solved) of 9 groups; 1 without a known outcome left out",
    );
    expect(new Set(rows().map(({ id }) => id)).size).toBe(90);
    expect(rows().filter(({ step }) => step === 0)).toHaveLength(90);
    expect(new Set(rows().map(({ group }) => group)).has("repository owner/repo3")).toBe(true);
  });

  it("is reported with n and intervals, after training and later", async (context) => {
    if (environment.kind === "absent") return context.skip(environment.reason);
    expect(trained.code, trained.stderr).toBe(0);
    expect(trained.stdout).toContain("Cross-validation by group, 3 folds");
    expect(trained.stdout).toMatch(/all +90 +36 +9 +0\.\d{3} \[0\.\d{3}, [01]\.\d{3}\]/);
    const later = await gymline(["critic", "report", critic]);
    expect(later).toMatchObject({ code: 0, stdout: trained.stdout });
    const checked = await gymline(["critic", "check", critic]);
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining("works: features version 1") });
  });

  it("gives in Node what scikit-learn gives for the same rows", async (context) => {
    if (environment.kind === "absent") return context.skip(environment.reason);
    const script = join(import.meta.dirname, "predict_sklearn.py");
    const { stdout } = await promisify(execFile)(
      environment.python,
      [script, join(work, "table.jsonl"), "0"],
      {
        maxBuffer: 1 << 26,
      },
    );
    const expected = sklearnSchema.parse(JSON.parse(stdout));
    const { document, model } = await loadCritic(critic);
    expect(document.model.kind).toBe(expected.kind);
    const given: number[] = [];
    for (const { features, set } of rows()) {
      const row = Float32Array.from(features);
      given.push(...(await model.predict(row, 1, criticSetNumber(document, set))));
    }
    await model.close();
    const worst = Math.max(
      ...given.map((value, i) => Math.abs(value - (expected.probabilities[i] ?? Number.NaN))),
    );
    expect(worst).toBeLessThan(1e-5);
    expect(Math.max(...given) - Math.min(...given)).toBeGreaterThan(0.2);
  });

  it("has its say in the scores of a run, of a repeated scoring and of a deployment", async (context) => {
    if (environment.kind === "absent") return context.skip(environment.reason);
    const cwd = work;
    const scored = await gymline(["score", "logs", "--critic", critic, "--json"], { cwd });
    const documents = scored.stdout
      .trim()
      .split("\n")
      .map((line) => storedScoreSchema.parse(JSON.parse(line)));
    expect(documents).toHaveLength(91);
    for (const { critic: value, critic_model: by, layers, parts, steps } of documents) {
      expect(layers).toContain("critic");
      expect(parts).toContainEqual({ part: "critic", value, weight: 0.5 });
      const credits = steps.reduce((sum, { credit = Number.NaN }) => sum + credit, 0);
      expect(credits).toBeCloseTo((value ?? Number.NaN) - (by?.initial ?? Number.NaN), 2);
    }
    // It knows which agent's run it is, which a run of another agent would not have told it.
    const whole = new Map(rows().map((row) => [row.id, row]));
    const { document, model } = await loadCritic(critic);
    expect(document.model.sets).toEqual(["openai-messages, brisk", "openai-messages, careful"]);
    const differences: number[] = [];
    for (const { trajectory_id: id, critic: value } of documents) {
      const row = whole.get(id);
      if (row === undefined) continue;
      const features = Float32Array.from(row.features);
      const [known = 0] = await model.predict(features, 1, criticSetNumber(document, row.set));
      const [unknown = 0] = await model.predict(features, 1);
      expect(value).toBeCloseTo(known, 4);
      differences.push(Math.abs(known - unknown));
    }
    await model.close();
    expect(differences).toHaveLength(90);
    expect(Math.max(...differences)).toBeGreaterThan(0.001);
    // Threads load it too, and a store that was scored without it gets it later.
    const first = await gymline(["run", "logs", "--out", "plain", "--json"], { cwd });
    expect(first.code).toBe(0);
    writeFileSync(join(work, "gymline.json"), JSON.stringify({ critic: "critic" }));
    const again = await gymline(["reprocess", "--stage", "score", "--store", "plain", "--json"], { cwd });
    expect(again.code, again.stderr).toBe(0);
    const rescored = z
      .object({ rescored: z.array(z.object({ id: z.string(), after: z.object({ reward: z.number() }) })) })
      .parse(JSON.parse(again.stdout)).rescored;
    const totals = new Map(documents.map(({ trajectory_id: id, total }) => [id, total]));
    expect(rescored).toHaveLength(91);
    for (const { id, after } of rescored) expect(after.reward).toBe(totals.get(id));
    // Functions and jobs read it out of their settings.
    writeFileSync(join(work, "gymline.deploy.json"), JSON.stringify({ settings: "gymline.json" }));
    const { settings } = loadDeployment({ folder: work });
    const deployed = deployedSettingsSchema.parse(JSON.parse(JSON.stringify(settings)));
    const tasks = await taskSettings(planOf(deployed));
    rmSync(join(work, "gymline.json"));
    const [one] = documents;
    const stored = readFileSync(join(work, "plain", trajectoryKey(one?.trajectory_id ?? "")));
    const { row } = await new InlineCompute(tasks).score(stored);
    expect(row).toMatchObject({ reward: one?.total, scorer: one?.scorer });
  });

  it("goes with the functions: all start with it, and the one that scores has what runs it", (context) => {
    if (environment.kind === "absent") return context.skip(environment.reason);
    const files = {
      "gymline.json": { critic: "critic" },
      "gymline.deploy.json": { settings: "gymline.json" },
    };
    for (const [name, json] of Object.entries(files)) writeFileSync(join(work, name), JSON.stringify(json));
    const { settings } = loadDeployment({ folder: work });
    rmSync(join(work, "gymline.json"));
    const processor = process.arch === "arm64" ? "arm64" : "x64";
    for (const stage of STAGES) {
      const folder = join(work, "bundles", stage);
      const entry = join(REPOSITORY, "functions", stage, "handler.ts");
      const runtime = stage === "score" ? ({ onnx: processor } as const) : {};
      bundleFunction({ entry, folder, settings: JSON.stringify(settings), ...runtime });
      const needs = Object.keys(functionEnvironmentSchema.shape).map((name) => [name, "1"]);
      const own = { GYMLINE_SCORE_ALONG: "true", GYMLINE_SETTINGS: SETTINGS_FILE, LAMBDA_TASK_ROOT: folder };
      const env = { ...Object.fromEntries(needs), ...own };
      const code = `const { handler } = await import("./index.mjs"); console.log(typeof handler)`;
      const args = ["--input-type=module", "--eval", code];
      const run = spawnSync(process.execPath, args, { cwd: folder, env, encoding: "utf8" });
      expect([stage, run.stdout.trim(), run.stderr]).toEqual([stage, "function", ""]);
      if (stage !== "score") continue;
      const model = `import runtime from "onnxruntime-node"; import { readFileSync } from "node:fs";
        const { critic } = JSON.parse(readFileSync("${SETTINGS_FILE}", "utf8"));
        const session = await runtime.InferenceSession.create(Buffer.from(critic.model, "base64"));
        console.log(session.outputNames.join())`;
      const ran = spawnSync(process.execPath, ["--input-type=module", "--eval", model], {
        cwd: folder,
        env,
        encoding: "utf8",
      });
      expect([ran.stdout.trim(), ran.stderr]).toEqual(["probability", ""]);
    }
  });

  it("gives a value after each step, and credits that sum to their change", async (context) => {
    if (environment.kind === "absent") return context.skip(environment.reason);
    const { model } = await loadCritic(critic);
    const failing = agentStep("", ["bash", { command: "python a.py" }, "Traceback (most recent call last)"]);
    const passing = agentStep("", ["bash", { command: "pytest -q" }, "3 passed in 0.1s"]);
    const bad = await criticValues(runOf([failing, failing, failing]), model);
    const good = await criticValues(runOf([passing]), model);
    const none = await criticValues(runOf([]), model);
    await model.close();
    expect(bad.values).toHaveLength(3);
    const sum = bad.credits.reduce((total, each) => total + each, 0);
    expect(sum).toBeCloseTo((bad.values[2] ?? 0) - bad.initial, 6);
    expect(good.values[0]).toBeGreaterThan(bad.values[2] ?? 1);
    expect(none).toEqual({ initial: bad.initial, values: [], credits: [] });
  });

  it("works in a worker thread", async (context) => {
    if (environment.kind === "absent") return context.skip(environment.reason);
    const url = new URL("../../shared/adapters/onnx/load-critic.ts", import.meta.url).href;
    const code = `
      const { parentPort, workerData } = require("node:worker_threads");
      import(${JSON.stringify(url)}).then(async ({ loadCritic }) => {
        const { model } = await loadCritic(workerData);
        parentPort.postMessage(await model.predict(new Float32Array(2 * model.width), 2));
        await model.close();
      });`;
    const worker = new Worker(code, { eval: true, workerData: critic });
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    worker.once("message", resolve).once("error", reject);
    const given = z.instanceof(Float32Array).parse(await promise);
    expect(given).toHaveLength(2);
    expect(given[0]).toBe(given[1]);
    await worker.terminate();
  });

  it("is refused where its files are damaged, missing or do not fit, with file and remedy", async (context) => {
    if (environment.kind === "absent") return context.skip(environment.reason);
    const copy = (name: string): string => {
      const folder = join(work, name);
      mkdirSync(folder);
      for (const file of ["critic.json", "critic.onnx"]) copyFileSync(join(critic, file), join(folder, file));
      return folder;
    };
    const damaged = copy("damaged");
    writeFileSync(join(damaged, "critic.onnx"), "not a model");
    const { code, stderr } = await gymline(["critic", "check", damaged]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `${join(damaged, "critic.onnx")} is not the model that its critic.json describes`,
    );
    expect(stderr).not.toContain("    at ");
    await expect(onnxValueModel(Buffer.from("not a model"), "m.onnx")).rejects.toThrow(
      /^m\.onnx is no ONNX model that can be run/,
    );
    await expect(loadCritic(join(work, "nowhere"))).rejects.toThrow(/critic\.json cannot be read/);

    const other = copy("other");
    const text = readFileSync(join(other, "critic.json"), "utf8");
    writeFileSync(join(other, "critic.json"), text.replace('"version": 1', '"version": 99'));
    await expect(loadCritic(other)).rejects.toThrow(/version 99 of the features/);

    const { model } = await loadCritic(critic);
    await expect(model.predict(new Float32Array(5), 1)).rejects.toThrow(
      `takes rows of ${model.width} features`,
    );
    await model.close();
  });
});

describe("gymline critic", () => {
  it("says what is wrong with a table, and leaves no critic", async (context) => {
    const environment = await trainerEnvironment();
    if (environment.kind === "absent") return context.skip(environment.reason);
    const work = mkdtempSync(join(tmpdir(), "gymline-critic-"));
    writeFileSync(join(work, "few.jsonl"), logs(5));
    await gymline(["critic", "table", "few.jsonl", "--out", "table.jsonl"], { cwd: work });
    const args = ["--table", "table.jsonl", "--out", "critic", "--python", environment.python];
    const { code, stderr } = await gymline(["critic", "train", ...args], { cwd: work });
    expect(code).toBe(1);
    expect(stderr).toContain(
      "TooLittleDataError: 5 trajectories with a known outcome; at least 40 are needed",
    );
    expect(existsSync(join(work, "critic"))).toBe(false);
    rmSync(work, { recursive: true, force: true });
  });

  it("says how to install what training needs where it is not there", async () => {
    const { code, stderr } = await gymline([
      "critic",
      "train",
      "-t",
      "t.jsonl",
      "-o",
      "c",
      "--python",
      "/no/python",
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain("/no/python does not start");
    expect(stderr).toContain("npm run trainer:setup");
  });

  it("makes the same table of a store as of the logs in it", async () => {
    const work = mkdtempSync(join(tmpdir(), "gymline-critic-"));
    mkdirSync(join(work, "logs"));
    writeFileSync(join(work, "logs/runs.jsonl"), logs(5));
    await gymline(["run", "logs", "--out", "store"], { cwd: work });
    const [fromLogs, fromStore, fromNone] = await Promise.all([
      gymline(["critic", "table", "logs"], { cwd: work }),
      gymline(["critic", "table", "--store", "store"], { cwd: work }),
      gymline(["critic", "table", "--store", "none"], { cwd: work }),
    ]);
    rmSync(work, { recursive: true, force: true });
    const sorted = (text: string): readonly string[] => text.trim().split("\n").sort();
    expect(fromStore.code).toBe(0);
    expect(sorted(fromStore.stdout)).toEqual(sorted(fromLogs.stdout));
    expect(sorted(fromStore.stdout).length).toBeGreaterThan(10);
    expect(fromNone).toMatchObject({ code: 1, stdout: "" });
  });

  it("takes a store or paths, not both and not neither", async () => {
    for (const args of [[], ["logs", "--store", "out"]]) {
      const { code, stderr } = await gymline(["critic", "table", ...args]);
      expect([code, stderr.trim()]).toEqual([
        1,
        "gymline: give either --store <dir> or files and folders of agent logs",
      ]);
    }
  });
});
