import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { z } from "zod";
import type { RunningEngine } from "./engines/engine.ts";
import { endGroup, leaderRuns, startGroup } from "./engines/process-group.ts";
import { runProgram } from "./run-program.ts";

const root = resolve(import.meta.dirname, "../..");
const SYNTH_WITHIN_MS = 120_000;
const START_WITHIN_MS = 30_000;

/** The local Batch did not come up. */
export class LocalBatchError extends Error {
  override readonly name = "LocalBatchError";
  constructor(logFile: string, said: string) {
    super(`the Batch runner did not start: ${said.trim() || "it said nothing"}; its log is ${logFile}`);
  }
}

export interface LocalBatchOptions {
  /** Keeps jobs and their logs. */
  readonly home: string;
  readonly engine: RunningEngine;
  /** Context of the CDK app, as for the deploy, but without what is for local engines. */
  readonly context?: Readonly<Record<string, string>>;
  /** A local Docker image of the job program; without it, jobs run as plain processes. */
  readonly image?: string | undefined;
  /** The program of training jobs and its first arguments; without it, the one of `npm run trainer:setup`. */
  readonly trainer?: readonly string[] | undefined;
  readonly signal?: AbortSignal;
}

export interface LocalBatch {
  /** The endpoint for clients of Batch. */
  readonly url: string;
  /** Gives the engine what the Batch stack would have brought along: the settings file that jobs read. */
  publish(): Promise<void>;
}

/**
 * Starts a Batch runner beside an engine, with the queues and job definitions of the CDK app's own Batch stack: engines
 * do not run jobs themselves. It outlives this process; `stopLocalBatch` ends it.
 * @throws LocalBatchError, ProgramError
 */
export async function startLocalBatch(options: LocalBatchOptions): Promise<LocalBatch> {
  const { engine } = options;
  const home = join(options.home, "batch");
  await stopLocalBatch(options.home);
  await mkdir(home, { recursive: true });
  const assembly = await synthesise(home, options);
  const logFile = join(home, "runner.log");
  const job = join(root, "containers/gymline/main.ts");
  const group = await startGroup({
    command: process.execPath,
    args: [
      join(root, "infra/local/batch/main.ts"),
      ...["--template", assembly.template, "--state", home, "--events-endpoint", engine.endpoint],
      ...(options.image === undefined
        ? ["--no-docker", "--map", `*=${JSON.stringify([process.execPath, job])}`, ...trainer(options)]
        : ["--map", `*=${options.image}`]),
      ...Object.entries(engine.env).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
    ],
    env: { PATH: process.env["PATH"] ?? "", HOME: home, ...engine.env },
    cwd: root,
    logFile,
  });
  await writeFile(groupFile(options.home), JSON.stringify(group));
  const deadline = performance.now() + START_WITHIN_MS;
  for (;;) {
    const said = await readFile(logFile, "utf8");
    const ready = readySchema.safeParse(jsonOf(said.split("\n")[0] ?? ""));
    if (ready.success) return { url: ready.data.url, publish: () => publish(assembly.files, engine) };
    if (performance.now() > deadline || !(await leaderRuns(group))) throw new LocalBatchError(logFile, said);
    await sleep(100);
  }
}

/** What runs training jobs, where `npm run trainer:setup` has made a Python for it. */
function trainer({ trainer: given }: LocalBatchOptions): readonly string[] {
  const python = join(root, ".venv/bin/python");
  if (given === undefined && !existsSync(python)) return [];
  const program = given ?? [python, join(root, "containers/trainer/job.py")];
  return ["--map", `*-train=${JSON.stringify(program)}`];
}

/** The endpoint of the runner that was started in this home; undefined where none was. */
export async function localBatchUrl(home: string): Promise<string | undefined> {
  const said = await readFile(join(home, "batch/runner.log"), "utf8").catch(() => "");
  return readySchema.safeParse(jsonOf(said.split("\n")[0] ?? "")).data?.url;
}

/** Ends the runner with its jobs and removes what they left; does nothing where none runs. */
export async function stopLocalBatch(home: string): Promise<void> {
  const text = await readFile(groupFile(home), "utf8").catch(() => undefined);
  if (text !== undefined) await endGroup(groupSchema.parse(JSON.parse(text)));
  await rm(join(home, "batch"), { recursive: true, force: true });
}

const readySchema = z.object({ url: z.url() });
const groupSchema = z.object({ pid: z.number(), started: z.string() });
const groupFile = (home: string) => join(home, "batch/group.json");

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Assembly {
  readonly template: string;
  readonly files: readonly { readonly path: string; readonly bucket: string; readonly key: string }[];
}

const assetsSchema = z.object({
  files: z.record(
    z.string(),
    z.object({
      source: z.object({ path: z.string(), packaging: z.string() }),
      destinations: z.record(z.string(), z.object({ bucketName: z.string(), objectKey: z.string() })),
    }),
  ),
});

/** The Batch stack as it goes to AWS: its template, and the files that it wants to find in CDK's bucket. */
async function synthesise(home: string, options: LocalBatchOptions): Promise<Assembly> {
  const folder = join(home, "assembly");
  const limit = AbortSignal.timeout(SYNTH_WITHIN_MS);
  await runProgram({
    command: process.execPath,
    args: [join(root, "infra/main.ts")],
    cwd: root,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: home,
      CDK_OUTDIR: folder,
      CDK_CONTEXT_JSON: JSON.stringify({ ...(await contextOfProject()), ...options.context }),
    },
    signal: options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]),
  });
  const manifest = z
    .object({ artifacts: z.record(z.string(), z.object({ type: z.string() })) })
    .parse(JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")));
  const stack = Object.keys(manifest.artifacts).find((name) => name.endsWith("-Batch")) ?? "";
  const assets = join(folder, `${stack}.assets.json`);
  const { files } = assetsSchema.parse(JSON.parse(await readFile(assets, "utf8")));
  const here = (text: string) =>
    text
      .replace(/\$\{AWS::AccountId\}/g, "000000000000")
      .replace(/\$\{AWS::Region\}/g, options.engine.env["AWS_REGION"] ?? "");
  return {
    template: join(folder, `${stack}.template.json`),
    files: Object.values(files)
      .filter(({ source }) => source.packaging === "file")
      .flatMap(({ source, destinations }) =>
        Object.values(destinations).map(({ bucketName, objectKey }) => ({
          path: join(dirname(assets), source.path),
          bucket: here(bucketName),
          key: here(objectKey),
        })),
      ),
  };
}

/** Flags of the project, which the command line of CDK would hand to the app. */
async function contextOfProject(): Promise<Record<string, unknown>> {
  const text = await readFile(join(root, "cdk.json"), "utf8");
  return z.object({ context: z.record(z.string(), z.unknown()) }).parse(JSON.parse(text)).context;
}

async function publish(files: Assembly["files"], engine: RunningEngine): Promise<void> {
  const client = new S3Client({
    endpoint: engine.endpoint,
    region: engine.env["AWS_REGION"] ?? "",
    credentials: {
      accessKeyId: engine.env["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: engine.env["AWS_SECRET_ACCESS_KEY"] ?? "",
    },
    forcePathStyle: true,
  });
  for (const { path, bucket, key } of files) {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: await readFile(path) }));
  }
  client.destroy();
}
