import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import { deploy } from "../../infra/local/deploy.ts";
import type { RunningEngine } from "../../infra/local/engines/engine.ts";
import { startLocalBatch, stopLocalBatch } from "../../infra/local/local-batch.ts";
import { type AwsClients, awsClients } from "../../shared/adapters/aws/aws-clients.ts";
import { DynamoCatalog } from "../../shared/adapters/aws/dynamo-catalog.ts";
import { DynamoLedger } from "../../shared/adapters/aws/dynamo-ledger.ts";
import { S3Store } from "../../shared/adapters/aws/s3-store.ts";
import { SqsQueue } from "../../shared/adapters/aws/sqs-queue.ts";
import { systemClock } from "../../shared/adapters/local/system-clock.ts";
import type { CatalogEntry } from "../../shared/contracts/catalog-row.ts";
import type { deploymentConfigSchema } from "../../shared/contracts/deployment-config.ts";
import { pipelineStackName } from "../../shared/contracts/names.ts";
import type { projectConfigSchema } from "../../shared/contracts/project-config.ts";
import type { Catalog } from "../../shared/ports/catalog.ts";
import type { Ledger } from "../../shared/ports/ledger.ts";
import type { ObjectStore } from "../../shared/ports/object-store.ts";
import type { MessageQueue } from "../../shared/ports/queue.ts";

const root = resolve(import.meta.dirname, "../..");

/** A deployment on a local engine, as its user and its operator see it. */
export interface TestDeployment {
  readonly name: string;
  /** Where Batch is asked for jobs; undefined where there is no runner. */
  readonly batchUrl: string | undefined;
  /** Of the pipeline stack. */
  output(name: string): string;
  readonly clients: AwsClients;
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  queue(stage: "Ingest" | "Score" | "Judge" | "Export" | "Sweep" | "Loop"): MessageQueue;
  put(key: string, bytes: Uint8Array | string): Promise<void>;
  entries(): Promise<readonly CatalogEntry[]>;
  /** Messages in a queue, waiting or being handled. */
  depth(outputName: string): Promise<number>;
  close(): Promise<void>;
}

/** Deploys the product's own CDK app to an engine. */
export async function deployPipeline(options: {
  readonly engine: RunningEngine;
  readonly config: z.input<typeof deploymentConfigSchema>;
  /** The project's settings. */
  readonly project?: z.input<typeof projectConfigSchema>;
  /** Where the functions find AWS, if not at the engine itself. */
  readonly functionEndpoint?: string;
  /** Keeps the jobs of a Batch runner beside the engine; without it, there is none. */
  readonly batchHome?: string;
  /** The program of its training jobs. */
  readonly trainer?: readonly string[];
  /** Files beside the configuration that it names. */
  readonly files?: Readonly<Record<string, string>>;
}): Promise<TestDeployment> {
  const { engine, config, project = {}, functionEndpoint, batchHome, trainer, files = {} } = options;
  const folder = mkdtempSync(join(tmpdir(), "gymline-deployment-"));
  const file = join(folder, "gymline.deploy.json");
  writeFileSync(file, JSON.stringify({ ...config, settings: "gymline.json" }));
  writeFileSync(join(folder, "gymline.json"), JSON.stringify(project));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
  const name = config.name ?? "gymline";
  const context = { config: file };
  const batch =
    batchHome === undefined
      ? undefined
      : await startLocalBatch({ home: batchHome, engine, context, trainer });
  const local = {
    architecture: process.arch === "arm64" ? "arm64" : "x86_64",
    ...(batch === undefined ? {} : { batchEndpoint: batch.url }),
    environment: functionEndpoint === undefined ? {} : endpoints(functionEndpoint),
  };
  const outputs = await deploy({
    engine,
    app: `"${process.execPath}" infra/main.ts`,
    folder: root,
    context: { ...context, local: JSON.stringify(local) },
    withinMs: 480_000,
  });
  await batch?.publish();
  rmSync(folder, { recursive: true });
  const own = outputs[pipelineStackName(name)] ?? {};
  const output = (key: string): string => {
    const found = own[key];
    if (found === undefined)
      throw new Error(`the stack has no output ${key}: ${Object.keys(own).join(", ")}`);
    return found;
  };
  const clients = awsClients(engine.env);
  const dynamo = await clients.dynamoDb();
  const s3 = await clients.s3();
  const sqs = await clients.sqs();
  const table = output("TableName");
  const catalog = new DynamoCatalog({ client: dynamo, table, clock: systemClock });
  const { PutObjectCommand } = await import("@aws-sdk/client-s3");
  const { GetQueueAttributesCommand } = await import("@aws-sdk/client-sqs");
  return {
    name,
    batchUrl: batch?.url,
    output,
    clients,
    store: new S3Store({ client: s3, bucket: output("StoreBucketName") }),
    catalog,
    ledger: new DynamoLedger({ client: dynamo, table }),
    queue: (stage) => new SqsQueue({ client: sqs, url: output(`${stage}QueueUrl`) }),
    put: async (key, bytes) => {
      await s3.send(
        new PutObjectCommand({ Bucket: output("DropBucketName"), Key: key, Body: Buffer.from(bytes) }),
      );
    },
    entries: async () => {
      const entries: CatalogEntry[] = [];
      for await (const entry of catalog.select({ includeSuperseded: true })) entries.push(entry);
      return entries;
    },
    depth: async (outputName) => {
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl: output(outputName),
          AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        }),
      );
      return Object.values(Attributes).reduce((sum, value) => sum + Number(value), 0);
    },
    close: async () => {
      await clients.close();
      if (batchHome !== undefined) await stopLocalBatch(batchHome);
    },
  };
}

/** All services, one by one: what an engine sets for its functions goes before the common variable. */
function endpoints(url: string): Record<string, string> {
  const services = ["", "_S3", "_SQS", "_DYNAMODB", "_EVENTBRIDGE", "_SECRETS_MANAGER"];
  return Object.fromEntries(services.map((service) => [`AWS_ENDPOINT_URL${service}`, url]));
}

/** Asks again and again until the answer is there. @throws Error that says what was there last */
export async function until<T>(
  what: string,
  options: { readonly withinMs: number; readonly everyMs?: number },
  look: () => Promise<{ readonly done: T } | { readonly waiting: unknown }>,
): Promise<T> {
  const deadline = performance.now() + options.withinMs;
  for (;;) {
    const seen = await look();
    if ("done" in seen) return seen.done;
    if (performance.now() > deadline) {
      throw new Error(
        `${what} did not come about in ${options.withinMs} ms; last seen: ${JSON.stringify(seen.waiting)}`,
      );
    }
    await sleep(options.everyMs ?? 250);
  }
}
