import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { BatchClient, DescribeJobsCommand, type JobDetail, ListJobsCommand } from "@aws-sdk/client-batch";
import { afterAll, beforeAll, describe, expect, it, type TestContext, vi } from "vitest";
import { z } from "zod";
import { type RunningBatchRunner, startBatchRunner } from "../../infra/local/batch/runner.ts";
import type { PythonEnvironment } from "../../infra/local/python-environment.ts";
import { DynamoCatalog } from "../../shared/adapters/aws/dynamo-catalog.ts";
import { operatorClients } from "../../shared/adapters/aws/operator-clients.ts";
import { S3Store } from "../../shared/adapters/aws/s3-store.ts";
import { openForReading } from "../../shared/adapters/local/local-store.ts";
import { storeBucketName } from "../../shared/contracts/names.ts";
import { trainingPlanSchema } from "../../shared/contracts/training-plan.ts";
import { type Ended, gymline } from "../cli/program.ts";
import { batchTemplate } from "../infra/synth.ts";
import { useEngine } from "../local-stack/engine.ts";
import { ENGINE_ACCOUNT, makeSmallDeployment } from "../local-stack/small-deployment.ts";
import { trainerEnvironment } from "./venv.ts";

const NAME = "cloud";
const root = resolve(import.meta.dirname, "../..");
const exec = promisify(execFile);
const storeBucket = storeBucketName({ name: NAME, account: ENGINE_ACCOUNT, region: "us-east-1" });
const modelSchema = z.object({
  run: z.string(),
  algorithm: z.string(),
  files: z.array(z.object({ path: z.string() })),
});

/** The job definition of the Batch stack itself, run as a process, on the buckets and the table of a small deployment. */
describe("gymline train --cloud, on ministack and the local Batch", () => {
  const engine = useEngine("ministack", (started) => makeSmallDeployment(NAME, started));
  const work = mkdtempSync(join(tmpdir(), "gymline-cloud-"));
  let python: PythonEnvironment = { kind: "absent", reason: "not looked for yet" };
  let runner: RunningBatchRunner | undefined;
  let version = "";

  beforeAll(async () => {
    python = await trainerEnvironment();
    if (python.kind === "absent") return;
    const samples = join(root, "shared/samples");
    const args = ["run", join(samples, "drop"), "--mapping", join(samples, "mappings/help-desk.json")];
    await gymline([...args, "--out", "out"], { cwd: work });
    const code = "import sys, pathlib, tiny; tiny.saved(pathlib.Path(sys.argv[1]))";
    const env = { ...process.env, PYTHONPATH: import.meta.dirname, PYTHONDONTWRITEBYTECODE: "1" };
    await exec(python.python, ["-c", code, join(work, "base")], { env });
  });

  afterAll(async () => {
    await runner?.stop();
    rmSync(work, { recursive: true, force: true });
  });

  /** Skips where there is no Python; else the first call fills the store and starts Batch. */
  async function ready(context: TestContext): Promise<RunningBatchRunner> {
    if (python.kind === "absent") return context.skip(python.reason);
    if (runner !== undefined) return runner;
    version = await fillStore();
    mkdirSync(join(work, "tmp"));
    const template = join(work, "Batch.template.json");
    const config = { name: NAME, batch: { training: {} } };
    writeFileSync(template, JSON.stringify(batchTemplate({ config }).toJSON()));
    runner = await startBatchRunner({
      templates: [template],
      stateFolder: join(work, "batch"),
      executor: {
        kind: "process",
        programs: { [`${NAME}-train`]: [python.python, join(root, "containers/trainer/job.py")] },
      },
      environment: {
        ...engine.running.env,
        GYMLINE_TRAINER_CACHE: join(work, "cache"),
        TMPDIR: join(work, "tmp"),
        HF_HUB_OFFLINE: "1",
        PYTHONDONTWRITEBYTECODE: "1",
        PYTHONUNBUFFERED: "1",
      },
      vcpus: 16,
      memory: 32_768,
    });
    return runner;
  }

  async function inStore<T>(run: (store: S3Store, catalog: DynamoCatalog) => Promise<T>): Promise<T> {
    for (const [key, value] of Object.entries(engine.running.env)) vi.stubEnv(key, value);
    const clients = operatorClients(engine.running.env);
    try {
      const table = `${NAME}-catalog`;
      const catalog = new DynamoCatalog({ client: await clients.dynamoDb(), table, clock: Date });
      return await run(new S3Store({ client: await clients.s3(), bucket: storeBucket }), catalog);
    } finally {
      await clients.close();
      vi.unstubAllEnvs();
    }
  }

  /** Brings the dataset `sft` of the samples, and the tiny model as `models/base/1`: its version. */
  function fillStore(): Promise<string> {
    return inStore(async (store, catalog) => {
      const local = openForReading(join(work, "out"));
      const entries = [];
      for await (const entry of local.catalog.datasets()) if (entry.name === "sft") entries.push(entry);
      await local.close();
      const [entry] = entries;
      if (entry === undefined) throw new Error("the samples made no dataset sft");
      await catalog.registerDataset({
        ...{ name: "sft", version: entry.version, format: entry.format, rows: [] },
      });
      const put = async (folder: string, prefix: string): Promise<void> => {
        for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
          const path = join(folder, name);
          if (statSync(path).isFile())
            await store.put(`${prefix}/${relative(folder, path)}`, readFileSync(path));
        }
      };
      await put(join(work, "out/datasets/sft", entry.version), `datasets/sft/${entry.version}`);
      await put(join(work, "base"), "models/base/1");
      return entry.version;
    });
  }

  const keys = (prefix: string): Promise<readonly string[]> =>
    inStore(async (store) => {
      const found: string[] = [];
      for await (const { key } of store.list(prefix)) found.push(key);
      return found;
    });

  const train = (batch: RunningBatchRunner, ...args: readonly string[]): Promise<Ended> => {
    const env = { ...engine.running.env, AWS_ENDPOINT_URL_BATCH: batch.url };
    const own = python.kind === "ready" ? ["--python", python.python] : [];
    return gymline(["train", "sft", "--cloud", "--deployment", NAME, ...args, ...own], { cwd: work, env });
  };

  async function jobsIn(batch: RunningBatchRunner): Promise<readonly JobDetail[]> {
    const client = new BatchClient({ ...engine.clientConfig, endpoint: batch.url });
    const filters = [{ name: "JOB_NAME", values: ["train-sft-*"] }];
    const { jobSummaryList = [] } = await client.send(
      new ListJobsCommand({ jobQueue: `${NAME}-gpu`, filters }),
    );
    const ids = jobSummaryList.flatMap(({ jobId }) => jobId ?? []);
    const { jobs = [] } = ids.length === 0 ? {} : await client.send(new DescribeJobsCommand({ jobs: ids }));
    client.destroy();
    return jobs;
  }

  const log = (batch: RunningBatchRunner, stream: string | undefined): string =>
    readFileSync(join(batch.logFolder, `${stream}.log`), "utf8");

  const SMALL = [
    ...["--data", "sft", "--model", "models/base/1", "--over-long", "cut"],
    ...["--batch-size", "1", "--gradient-accumulation-steps", "1", "--set", "logging_steps=1"],
  ];

  it("shows the plan of a run and submits nothing", async (context) => {
    const batch = await ready(context);
    const dry = await train(batch, ...SMALL, "--epochs", "9", "--max-steps", "40", "--dry-run");
    expect(dry.code, dry.stderr).toBe(0);
    const plan = trainingPlanSchema.parse(JSON.parse(dry.stdout));
    expect(plan).toMatchObject({
      algorithm: "sft",
      options: {
        data: `s3://${storeBucket}/datasets/sft/${version}`,
        model: `s3://${storeBucket}/models/base/1`,
        epochs: 9,
      },
      output: `s3://${storeBucket}/models/sft-sft/${plan.run}`,
    });
    expect(dry.stderr).toContain(`train-sft-${plan.run}`);
    expect(await keys("trainings/")).toEqual([]);
    expect(await jobsIn(batch)).toEqual([]);
  });

  it("trains, goes on from S3 after its machine was taken away, and leaves a whole model in the store", async (context) => {
    const batch = await ready(context);
    const args = [...SMALL, "--epochs", "9", "--max-steps", "40", "--wait"];
    const waiting = train(batch, ...args);
    const first = await eventually(async () => {
      const [job] = await jobsIn(batch);
      const stream = job?.status === "RUNNING" ? job.container?.logStreamName : undefined;
      return stream !== undefined && log(batch, stream).includes("step 2 ·") ? job : undefined;
    });
    const [plan = ""] = first.container?.command ?? [];
    process.kill(processOf(plan), "SIGTERM");
    const ended = await waiting;
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(/submitted: train-sft-[0-9a-f]{12}, job \S+/);
    expect(ended.stderr).toContain("SUCCEEDED, after 2 tries");
    const prefix = ended.stdout.trim().replace(`s3://${storeBucket}/`, "");
    expect(prefix).toMatch(/^models\/sft-sft\/[0-9a-f]{12}\/$/);

    const [job] = await jobsIn(batch);
    expect(job?.attempts?.map(({ container }) => container?.exitCode)).toEqual([75, 0]);
    const [one, two] = (job?.attempts ?? []).map(({ container }) => log(batch, container?.logStreamName));
    expect(one).toMatch(/stopped after step (\d+), and saved/);
    const [, step] = /stopped after step (\d+)/.exec(one ?? "") ?? [];
    expect(two).toContain(`going on from step ${step} of 40`);

    const manifest = await inStore(async (store) =>
      modelSchema.parse(JSON.parse(Buffer.from(await store.read(`${prefix}manifest.json`)).toString())),
    );
    const listed = manifest.files.map(({ path }) => path);
    expect(listed).toEqual(expect.arrayContaining(["run.json", "trained/model.safetensors"]));
    expect(await keys(prefix)).toEqual([...listed, "manifest.json"].map((path) => prefix + path).toSorted());
    expect(await keys("trainings/")).toEqual([`trainings/${manifest.run}/plan.json`]);

    const again = await train(batch, ...args);
    expect([again.code, again.stdout]).toEqual([0, ended.stdout]);
    expect(again.stderr).toContain("this run is done already");
    expect(await jobsIn(batch)).toHaveLength(1);
  });

  it("begins with a model that it has trained, and says why a job failed, once, and where its log is", async (context) => {
    const batch = await ready(context);
    const [trained = ""] = (await keys("models/sft-sft/")).filter((key) => key.endsWith("/manifest.json"));
    const model = trained.replace("/manifest.json", "");
    const tooSmall = ["--data", "sft", "--model", model, "--out", "next", "--max-length", "16", "--wait"];
    const ended = await train(batch, ...tooSmall);
    expect([ended.code, ended.stdout]).toEqual([
      1,
      expect.stringMatching(/\/models\/next\/[0-9a-f]{12}\/\n$/),
    ]);
    expect(ended.stderr).toMatch(/the job failed \(.+\); its log is \S+ in \/gymline\/cloud\/trainings/);
    const job = (await jobsIn(batch)).find(({ status }) => status === "FAILED");
    expect(job?.attempts?.map(({ container }) => container?.exitCode)).toEqual([1]);
    expect(log(batch, job?.container?.logStreamName)).toContain(
      `fetching s3://${storeBucket}/${model}/model`,
    );
    expect(await keys("models/next/")).toEqual([]);
  });

  it("refuses before it submits what could not work", async (context) => {
    const batch = await ready(context);
    const before = (await jobsIn(batch)).length;
    const refused = async (...args: readonly string[]): Promise<string> => {
      const ended = await train(batch, ...args);
      expect(ended).toMatchObject({ code: 1, stdout: "" });
      return ended.stderr;
    };
    const model = ["--model", "hub/model"];
    expect(await refused("--data", "sft", ...model, "--set", "learing_rate=1")).toContain(
      "did you mean `learning_rate`",
    );
    expect(await refused("--data", "sft", ...model, "--qlora")).toContain("bitsandbytes, which the image");
    expect(await refused("--data", "sft", ...model, "--resume", "never")).toContain("leave out resume");
    expect(await refused("--data", "nothing", ...model)).toContain("nothing");
    expect(await refused("--data", "s3://other/datasets/a/1", ...model)).toContain(
      "of its own deployment alone",
    );
    expect(await refused("--data", "sft", "--model", "./base")).toContain(
      "of the hub and of its own deployment",
    );
    expect(await refused("--data", "sft", "--model", "models/none/1")).toContain(
      "has no model models/none/1",
    );
    expect(await refused("--data", "sft", ...model, "--out", "runs/sft")).toContain("the model's name");
    expect(await refused("--data", "sft", ...model, "--store", "out")).toContain("cannot be used with");
    expect((await jobsIn(batch)).length).toBe(before);
  });
});

/** The process whose command line ends in this. */
function processOf(argument: string): number {
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
      if (words.includes(argument) && words.some((word) => word.endsWith("/job.py"))) return Number(name);
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error(`no process has the argument ${argument}`);
}

async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const patience = Date.now() + 240_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > patience) throw new Error("it did not come");
    await new Promise((settle) => setTimeout(settle, 50));
  }
}
