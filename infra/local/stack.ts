import { readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { deploy, type StackOutputs, stackOutputsSchema } from "./deploy.ts";
import { awsEndpoint } from "./engines/aws-endpoint.ts";
import { type Engine, EngineRunningError, type RunningEngine } from "./engines/engine.ts";
import { runningEngine, stopEngine } from "./engines/engine-home.ts";
import { localstack } from "./engines/localstack.ts";
import { ministack } from "./engines/ministack.ts";
import { startLocalBatch, stopLocalBatch } from "./local-batch.ts";
import type { EngineChoice } from "./options.ts";

const root = resolve(import.meta.dirname, "../..");

/** Where the stack of `npm run local` keeps its state, unless it is told another folder. */
export const STACK_HOME = join(root, ".cache/local");

/** Where engines are installed, once for all stacks. */
const ENGINE_CACHE = join(root, ".cache/engines");

/** What `cdk --app` is given for the program itself. */
const APP = `"${process.execPath}" infra/main.ts`;

/** Generous: a cold start of LocalStack with all of the program's stacks takes minutes on a small machine. */
const DEPLOY_WITHIN_MS = 900_000;

/** The stack's output that names where files are dropped. */
const DROP_OUTPUT = "DropBucketName";

/** Nothing runs where something is needed. */
export class StackMissingError extends Error {
  override readonly name = "StackMissingError";
  constructor(what: string) {
    super(`${what}; start it first (npm run local)`);
  }
}

/** The engine asked for: a new one, or that which runs in this home already. */
export async function startEngine(home: string, choice: EngineChoice): Promise<RunningEngine> {
  const running = await runningEngine(home);
  if (running === undefined) return engineOf(home, choice).start();
  if (running.name !== choice.engine) throw new EngineRunningError(running);
  return running;
}

function engineOf(home: string, choice: EngineChoice): Engine {
  switch (choice.engine) {
    case "ministack":
      return ministack({ cache: ENGINE_CACHE, home, port: choice.port });
    case "localstack":
      return localstack({ cache: ENGINE_CACHE, home, port: choice.port });
    case "aws-endpoint":
      return awsEndpoint({ url: choice.url, home });
  }
}

export interface DeployOptions {
  readonly engine: RunningEngine;
  /** Another CDK app. */
  readonly app?: string | undefined;
  /** Docker image for Batch jobs; without it they run as plain processes. */
  readonly image?: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Deploys the program, or another app, and remembers what the stacks put out.
 * @throws DeployError
 */
export async function deployStack(
  home: string,
  { engine, app, image, signal }: DeployOptions,
): Promise<StackOutputs> {
  // Engines run no Batch jobs. Another app has jobs of its own, or none.
  const batch = app === undefined ? await startLocalBatch({ home, engine, image, signal }) : undefined;
  const local = {
    // Functions run on this machine's own processor.
    architecture: process.arch === "arm64" ? "arm64" : "x86_64",
    ...(batch === undefined ? {} : { batchEndpoint: batch.url }),
  };
  const outputs = await deploy({
    engine,
    app: app ?? APP,
    folder: root,
    context: { local: JSON.stringify(local) },
    withinMs: DEPLOY_WITHIN_MS,
    signal,
  });
  await batch?.publish();
  await writeFile(outputsFile(home), JSON.stringify(outputs));
  return outputs;
}

/**
 * The bucket in which dropped files are taken in.
 * @throws StackMissingError
 */
export async function dropBucketOf(home: string): Promise<string> {
  const text = await readFile(outputsFile(home), "utf8").catch(() => "{}");
  const stacks = Object.values(stackOutputsSchema.parse(JSON.parse(text)));
  const bucket = stacks.map((outputs) => outputs[DROP_OUTPUT]).find((name) => name !== undefined);
  if (bucket === undefined)
    throw new StackMissingError(`no stack with the output ${DROP_OUTPUT} is deployed`);
  return bucket;
}

/** Ends all that the stack runs and removes its data. */
export async function stopStack(home: string): Promise<void> {
  await stopLocalBatch(home);
  await stopEngine(home);
  await rm(outputsFile(home), { force: true });
}

const outputsFile = (home: string) => join(home, "outputs.json");
