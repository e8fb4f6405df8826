import { execFile } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { PythonEnvironment } from "../../infra/local/python-environment.ts";
import { type Ended, gymline } from "../cli/program.ts";
import { trainerEnvironment } from "./venv.ts";

const samples = resolve(import.meta.dirname, "../../shared/samples");
const exec = promisify(execFile);
const runSchema = z.object({
  algorithm: z.string(),
  steps: z.int(),
  dataset: z.object({ name: z.string(), version: z.string() }),
  metrics: z.object({ loss: z.number() }),
});

describe("gymline train", () => {
  let environment: PythonEnvironment = { kind: "absent", reason: "not looked for yet" };
  let cwd = "";
  let version = "";

  const train = (args: readonly string[], more: { readonly stopAt?: string } = {}): Promise<Ended> => {
    const python = environment.kind === "ready" ? environment.python : "";
    const env = {
      HF_HUB_OFFLINE: "1",
      GYMLINE_TRAINER_CACHE: join(cwd, "cache"),
      PYTHONDONTWRITEBYTECODE: "1",
    };
    return gymline([...args, "--python", python], { cwd, env, ...more });
  };
  /** One row a step: a step is short. */
  const SMALL = ["--over-long", "cut", "--batch-size", "1", "--gradient-accumulation-steps", "1"] as const;
  const summary = (out: string): z.infer<typeof runSchema> =>
    runSchema.parse(JSON.parse(readFileSync(join(cwd, out, "run.json"), "utf8")));

  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), "gymline-train-"));
    environment = await trainerEnvironment();
    if (environment.kind === "absent") return;
    const mapping = join(samples, "mappings/help-desk.json");
    await gymline(["run", join(samples, "drop"), "--out", "out", "--mapping", mapping], { cwd });
    const listed = await gymline(["datasets", "list", "sft", "--json"], { cwd });
    version = z.object({ version: z.string() }).parse(JSON.parse(listed.stdout)).version;
    const code = "import sys, pathlib, tiny; tiny.saved(pathlib.Path(sys.argv[1]))";
    const env = { ...process.env, PYTHONPATH: import.meta.dirname, PYTHONDONTWRITEBYTECODE: "1" };
    await exec(environment.python, ["-c", code, join(cwd, "tiny")], { env });
  });
  afterAll(() => rmSync(cwd, { recursive: true, force: true }));

  it("trains two steps on a dataset of the store, and evaluates what came of it", async (context) => {
    if (environment.kind === "absent") return context.skip(environment.reason);
    const args = ["--data", "sft", "--model", "tiny", "--out", "runs/two", "--max-steps", "2", ...SMALL];
    const ended = await train(["train", "sft", ...args]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain(`data: sft/${version}`);
    expect(ended.stderr).toContain("done: runs/two/trained");
    expect(summary("runs/two")).toMatchObject({
      algorithm: "sft",
      steps: 2,
      dataset: { name: "sft", version },
    });
    const evaluated = await train([
      ...["eval-model", "--data", `sft/${version.slice(0, 4)}`, "--model", "runs/two/trained"],
      ...["--split", "train", "--over-long", "cut"],
    ]);
    expect(evaluated.code, evaluated.stderr).toBe(0);
    const figures = z
      .object({ perplexity: z.number(), trajectories: z.int() })
      .parse(JSON.parse(evaluated.stdout));
    expect(figures.perplexity).toBeGreaterThan(1);
    expect(figures.trajectories).toBeGreaterThan(1);
  });

  it("exports a run that is trained, and names what is none", async (context) => {
    if (environment.kind === "absent") return context.skip(environment.reason);
    const args = ["--data", "sft", "--model", "tiny", "--out", "runs/served", "--max-steps", "1", ...SMALL];
    const ended = await train(["train", "sft", ...args, "--export", "none"]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(existsSync(join(cwd, "runs/served/model"))).toBe(false);
    const exported = await train(["train", "export", "--run", "runs/served", "--export-dtype", "bfloat16"]);
    expect(exported.code, exported.stderr).toBe(0);
    const recorded = z.object({
      schema: z.literal("gymline.training.v1"),
      export: z.object({ format: z.string(), dtype: z.string() }),
      files: z.array(z.object({ path: z.string() })),
    });
    const record = recorded.parse(JSON.parse(readFileSync(join(cwd, "runs/served/training.json"), "utf8")));
    expect(record.export).toEqual({ format: "onnx", dtype: "bfloat16" });
    const paths = record.files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(["model/model.safetensors", "onnx/onnx/model.onnx", "onnx/onnx/model_q4.onnx"]),
    );
    const wrong = await train(["train", "export", "--run", "runs"]);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain("runs is no run that is trained (it has no run.json)");
  });

  it("told to stop, saves and says how to go on; the same command goes on to the end", async (context) => {
    if (environment.kind === "absent") return context.skip(environment.reason);
    writeFileSync(join(cwd, "run.yaml"), "logging_steps: 1\nepochs: 9\n");
    const args = [
      "train",
      "sft",
      "--config",
      "run.yaml",
      "--data",
      "sft",
      "--model",
      "tiny",
      "--out",
      "runs/stopped",
    ];
    const all = [...args, "--max-steps", "24", ...SMALL];
    const stopped = await train(all, { stopAt: "step 1 ·" });
    expect(stopped.code, stopped.stderr).toBe(75);
    expect(stopped.stderr).toContain("to go on: gymline train sft --config run.yaml");
    expect(stopped.stderr).toContain(`--data out/datasets/sft/${version} `);
    expect(existsSync(join(cwd, "runs/stopped/trained"))).toBe(false);
    const resumed = await train(all);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toMatch(/going on from step [1-9]\d* of 24/);
    expect(summary("runs/stopped").steps).toBe(24);
    const steps = readFileSync(join(cwd, "runs/stopped/metrics.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => z.object({ step: z.int() }).parse(JSON.parse(line)).step);
    expect(steps).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
  });

  it("shows before training what it would take, and how a row is learnt", async (context) => {
    if (environment.kind === "absent") return context.skip(environment.reason);
    const args = ["train", "sft", "--data", `out/datasets/sft/${version}`, "--model", "tiny"];
    const dry = await train([...args, "--out", "runs/dry", "--over-long", "cut", "--dry-run"]);
    expect(dry.code, dry.stderr).toBe(0);
    expect(dry.stdout).toMatch(/rows: \d+\n.*sequences: \d+/s);
    expect(dry.stdout).toContain("memory of one device");
    expect(existsSync(join(cwd, "runs/dry/trained"))).toBe(false);
    const preview = await train([...args, "--preview", "--row", "2", "--max-length", "4096"]);
    expect(preview.code, preview.stderr).toBe(0);
    expect(preview.stdout).toContain("trained (");
    expect(preview.stdout).toContain("⟦");
  });

  it("passes on what the scripts refuse: data of another target, unknown and wrong options", async (context) => {
    if (environment.kind === "absent") return context.skip(environment.reason);
    const args = ["--data", "sft", "--model", "tiny", "--out", "runs/refused"];
    const wrong = await train(["train", "dpo", ...args]);
    expect(wrong).toMatchObject({ code: 1, stdout: "" });
    expect(wrong.stderr).toContain("which is not for dpo");
    expect(wrong.stderr).toContain("gymline export --target trl-dpo");
    const options = await train(["train", "sft", ...args, "--epochs", "many", "--set", "learing_rate=1"]);
    expect(options).toMatchObject({ code: 1, stdout: "" });
    expect(options.stderr).toContain("`epochs` must be a whole number");
    expect(options.stderr).toContain("did you mean `learning_rate`?");
    expect(existsSync(join(cwd, "runs/refused"))).toBe(false);
  });

  it("says how to install what a Python lacks", async (context) => {
    if (environment.kind === "absent") return context.skip(environment.reason);
    await exec(environment.python, ["-m", "venv", "--without-pip", join(cwd, "bare")]);
    const args = ["train", "sft", "--data", "sft", "--model", "tiny", "--out", "x"];
    const ended = await gymline([...args, "--python", join(cwd, "bare/bin/python")], { cwd });
    expect(ended).toMatchObject({ code: 1, stdout: "" });
    expect(ended.stderr).toMatch(
      /lacks what training needs \(no module named torch, .*npm run trainer:setup -- --train/,
    );
  });
});

describe("gymline train, before any Python", () => {
  const refused = async (args: readonly string[], cwd?: string): Promise<string> => {
    const ended = await gymline(["train", ...args], cwd === undefined ? {} : { cwd });
    expect(ended).toMatchObject({ code: 1, stdout: "" });
    return ended.stderr;
  };

  it("names what is missing, is not there or does not go together", async () => {
    expect(await refused(["sft", "--data", "x"])).toContain(
      "give --model, --out, or a file with them as --config",
    );
    const there = ["--model", "hub/model", "--out", "runs"];
    expect(await refused(["sft", "--data", "./none", ...there])).toContain(
      "there is no file or folder ./none",
    );
    expect(await refused(["sft", "--data", "sft", ...there])).toContain(
      "name of a dataset with --store <dir>",
    );
    expect(await refused(["sft", "--data", "sft", "--store", "none", ...there])).toContain("none");
    expect(await refused(["sft", "--data", samples, "--model", "./none", "--out", "runs"])).toContain(
      "there is no folder ./none",
    );
    expect(await refused(["sft", "--data", samples, "--model", samples, "--out", "runs"])).toContain(
      "is no model (it has no config.json)",
    );
    expect(await refused(["sft", "--data", samples, ...there, "--preview", "--config", "a.yaml"])).toContain(
      "--preview takes no --config",
    );
    expect(await refused(["ppo"])).toContain("ppo");
    expect(await refused(["sft", "--lerning-rate", "1"])).toContain("Did you mean --learning-rate?");
  });
});
