import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { z } from "zod";
import type { RunningEngine } from "./engines/engine.ts";
import { ProgramError, runProgram } from "./run-program.ts";

export interface DeployPlan {
  readonly engine: RunningEngine;
  /** What `cdk --app` takes: a command that synthesises, or the folder of an assembly. */
  readonly app: string;
  /** Where the command runs; a relative assembly stands there too. */
  readonly folder: string;
  /** Context values of the app (`-c name=value`). */
  readonly context?: Readonly<Record<string, string>>;
  /** For all of it, CDK's own stack included. */
  readonly withinMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What CDK writes of a deploy. */
export const stackOutputsSchema = z.record(z.string(), z.record(z.string(), z.string()));

/** The outputs of each stack by name. */
export type StackOutputs = z.infer<typeof stackOutputsSchema>;

/** CDK could not deploy. */
export class DeployError extends Error {
  override readonly name = "DeployError";
  constructor(step: string, engine: RunningEngine, cause: ProgramError) {
    super(
      `cdk ${step} ${cause.message}, on ${engine.name} at ${engine.endpoint}:\n${cause.output.trimEnd()}`,
      {
        cause,
      },
    );
  }
}

const cdk = resolve(import.meta.dirname, "../../node_modules/aws-cdk/bin/cdk");

/** The account of every engine that is not told another. */
const LOCAL_ACCOUNT = "000000000000";

/**
 * Deploys all stacks of a CDK app to an engine, after what CDK itself needs there.
 * @throws DeployError with all that CDK printed
 */
export async function deploy(plan: DeployPlan): Promise<StackOutputs> {
  const scratch = await mkdtemp(join(tmpdir(), "gymline-deploy-"));
  try {
    const limit = AbortSignal.timeout(plan.withinMs);
    const signal = plan.signal === undefined ? limit : AbortSignal.any([limit, plan.signal]);
    const environment = `aws://${LOCAL_ACCOUNT}/${plan.engine.env["AWS_REGION"]}`;
    await runCdk(plan, { scratch, signal, step: "bootstrap", args: [environment] });
    const outputs = join(scratch, "outputs.json");
    const context = Object.entries(plan.context ?? {}).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const args = ["--all", "--require-approval", "never", "--outputs-file", outputs, "--app", plan.app];
    await runCdk(plan, { scratch, signal, step: "deploy", args: [...args, ...context] });
    return stackOutputsSchema.parse(JSON.parse(await readFile(outputs, "utf8")));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

interface CdkCall {
  readonly scratch: string;
  readonly signal: AbortSignal;
  readonly step: "bootstrap" | "deploy";
  readonly args: readonly string[];
}

async function runCdk(plan: DeployPlan, { scratch, signal, step, args }: CdkCall): Promise<void> {
  const quiet = ["--ci", "--no-color", "--no-notices", "--no-version-reporting", "--progress", "events"];
  try {
    await runProgram({
      command: process.execPath,
      args: [cdk, step, ...args, "--output", join(scratch, "cdk.out"), ...quiet],
      env: cdkEnvironment(plan.engine, scratch),
      cwd: plan.folder,
      signal,
    });
  } catch (error) {
    if (error instanceof ProgramError) throw new DeployError(step, plan.engine, error);
    throw error;
  }
}

/** Nothing of the user's AWS settings is in it, and CDK is told to call nobody but the engine. */
function cdkEnvironment(engine: RunningEngine, scratch: string): Record<string, string> {
  return {
    PATH: [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter),
    HOME: scratch,
    CDK_HOME: scratch,
    TMPDIR: scratch,
    CDK_DISABLE_CLI_TELEMETRY: "true",
    CDK_DISABLE_VERSION_CHECK: "true",
    ...engine.env,
  };
}
