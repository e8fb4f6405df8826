import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { z } from "zod";
import { deploy } from "../../infra/local/deploy.ts";
import type { RunningEngine } from "../../infra/local/engines/engine.ts";
import type { Probe } from "./app/function.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");

const namesSchema = z.object({
  DropBucketName: z.string(),
  StoreBucketName: z.string(),
  TableName: z.string(),
  DeadUrl: z.string(),
  ProbeName: z.string(),
  BusName: z.string(),
  EventsUrl: z.string(),
});

/** What the deployed app calls its parts. */
export type ProbeNames = z.infer<typeof namesSchema>;

/** Synthesises the app into an assembly and deploys that, as the command line of CDK would a `cdk.out`. */
export async function deployProbeApp(engine: RunningEngine): Promise<ProbeNames> {
  const assembly = await mkdtemp(join(tmpdir(), "gymline-assembly-"));
  try {
    await run(process.execPath, [join(import.meta.dirname, "app/main.ts")], {
      cwd: root,
      env: { ...process.env, CDK_OUTDIR: assembly },
    });
    const outputs = await deploy({ engine, app: assembly, folder: root, withinMs: 240_000 });
    return namesSchema.parse(outputs["EngineProbe"]);
  } finally {
    await rm(assembly, { recursive: true, force: true });
  }
}

export type Answer =
  | { readonly kind: "result"; readonly result: unknown }
  | { readonly kind: "error"; readonly type: string; readonly message: string };

const errorSchema = z.object({ errorType: z.string(), errorMessage: z.string() });

/** Invokes the probe function and waits for what it answers. */
export async function ask(lambda: LambdaClient, name: string, probe: Probe): Promise<Answer> {
  const { Payload, FunctionError } = await lambda.send(
    new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(probe) }),
  );
  const result: unknown = JSON.parse(Payload?.transformToString() ?? "null");
  if (FunctionError === undefined) return { kind: "result", result };
  const { errorType, errorMessage } = errorSchema.parse(result);
  return { kind: "error", type: errorType, message: errorMessage };
}

/** As `ask`, of a probe that must not fail. */
export async function askFor<T>(
  schema: z.ZodType<T>,
  { lambda, name, probe }: { lambda: LambdaClient; name: string; probe: Probe },
): Promise<T> {
  const answer = await ask(lambda, name, probe);
  if (answer.kind === "error") throw new Error(`${probe.ask}: ${answer.type}: ${answer.message}`);
  return schema.parse(answer.result);
}
