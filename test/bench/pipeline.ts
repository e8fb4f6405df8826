import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  LambdaClient,
  Runtime,
} from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { CreateQueueCommand, GetQueueAttributesCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { bundleFunction } from "../../infra/constructs/function-bundle.ts";
import { BATCHES } from "../../infra/constructs/stage.ts";
import type { RunningEngine } from "../../infra/local/engines/engine.ts";
import { ministack } from "../../infra/local/engines/ministack.ts";
import { deployPipeline, type TestDeployment } from "../end-to-end/deployment.ts";
import { createCatalogTable } from "../factories/create-catalog-table.ts";
import { chatRow } from "../factories/logs.ts";
import { startFaultProxy } from "../local-stack/fault-proxy.ts";
import { type ZipEntry, zipOf } from "../reading/zip-factory.ts";
import type { Figure } from "./figure.ts";
import { median } from "./median.ts";

const cache = resolve(import.meta.dirname, "../../.cache/engines");
/** Uploads under way at a time. */
const SIDE_BY_SIDE = 8;

/** Two processors have no use for more copies of a function. */
const COPIES = { timeoutSeconds: 60, maxConcurrency: 3 };
/** Uploads whose calls are counted. */
const COUNTED = 200;

/**
 * Uploads per second through the deployed pipeline (read, stored, scored) on the local engine, against a function that
 * does nothing behind the same kind of bucket and queue, in the same engine. Between the two stands the least that
 * keeps an upload: a function that reads it, writes it elsewhere and notes it in a transaction.
 */
export async function benchPipeline(): Promise<readonly Figure[]> {
  const uploads = Number(process.env["GYMLINE_BENCH_UPLOADS"] ?? "1000");
  const home = mkdtempSync(join(tmpdir(), "gymline-bench-"));
  const engine = ministack({ cache, home });
  try {
    const running = await engine.start();
    const calls = await countedCalls(running);
    const deployment = await deployPipeline({ engine: running, config: configOf("bench") });
    const nothing = [{ name: "index.mjs", data: NOTHING }];
    const floor = await functionStack(running, deployment, { name: "floor", code: nothing });
    const { dynamoDb, s3 } = deployment.clients;
    await createCatalogTable(await dynamoDb(), "least");
    await (await s3()).send(new CreateBucketCommand({ Bucket: "least-store" }));
    const least = await functionStack(running, deployment, { name: "least", code: leastCode(home) });
    const rounds = { floor: [] as number[], least: [] as number[], pipeline: [] as number[] };
    for (let round = 0; round < 3; round += 1) {
      const bodies = Array.from({ length: uploads }, (_, index) => row(round, index));
      rounds.floor.push(uploads / (await floor(`round-${round}`, bodies)));
      rounds.least.push(uploads / (await least(`round-${round}`, bodies)));
      rounds.pipeline.push(uploads / (await pipeline(deployment, `round-${round}`, bodies)));
    }
    await deployment.close();
    const [base, own] = [median(rounds.floor), median(rounds.pipeline)];
    const some = median(rounds.least);
    return [
      ...calls,
      { name: "pipeline: uploads, one trajectory each", value: uploads, unit: "" },
      { name: "pipeline: a function that does nothing", value: base, unit: "uploads/s" },
      { name: "pipeline: reads, writes, notes each by itself", value: some, unit: "uploads/s" },
      { name: "pipeline: read, stored and scored", value: own, unit: "uploads/s" },
      { name: "pipeline: share of the floor, the least", value: some / base, unit: "" },
      {
        name: "pipeline: share of the engine's floor",
        value: own / base,
        unit: "",
        goal: "≥ 0.6",
        ok: own / base >= 0.6,
      },
    ];
  } finally {
    await engine.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

function configOf(name: string) {
  return { name, onDelete: "destroy" as const, functions: { ingest: COPIES, score: COPIES } };
}

/** Calls of the functions for an upload, by operation, counted by a proxy before a deployment of its own. */
async function countedCalls(running: RunningEngine): Promise<readonly Figure[]> {
  const proxy = await startFaultProxy({ target: running.endpoint, seed: 1 });
  try {
    const deployment = await deployPipeline({
      engine: running,
      config: configOf("counted"),
      functionEndpoint: proxy.endpoint,
    });
    const bodies = Array.from({ length: COUNTED }, (_, index) => row(-1, index));
    await pipeline(deployment, "counted", bodies);
    await deployment.close();
    return [...proxy.requests].map(([name, count]) => ({
      name: `pipeline: calls of an upload, ${name}`,
      value: count / COUNTED,
      unit: "",
    }));
  } finally {
    await proxy.stop();
  }
}

function leastCode(home: string): readonly ZipEntry[] {
  const folder = join(home, "least-function");
  bundleFunction({ entry: resolve(import.meta.dirname, "least-handler.ts"), folder, settings: "{}" });
  return readdirSync(folder).map((name) => ({ name, data: readFileSync(join(folder, name)) }));
}

type Put = (key: string, body: string) => Promise<unknown>;

async function putAll(put: Put, prefix: string, bodies: readonly string[]): Promise<void> {
  const waiting = [...bodies.entries()];
  await Promise.all(
    Array.from({ length: SIDE_BY_SIDE }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        await put(`${prefix}/${next[0]}.jsonl`, next[1]);
      }
    }),
  );
}

/** Seconds from the first upload until all are scored. */
async function pipeline(
  deployment: TestDeployment,
  prefix: string,
  bodies: readonly string[],
): Promise<number> {
  const before = await deployment.catalog.scoredCount();
  const started = performance.now();
  await putAll(deployment.put, prefix, bodies);
  while ((await deployment.catalog.scoredCount()) - before < bodies.length) await sleep(100);
  return (performance.now() - started) / 1000;
}

/** Bucket → queue → a function, with the pipeline's own settings. Gives the seconds until all uploads are done. */
async function functionStack(
  engine: RunningEngine,
  deployment: TestDeployment,
  { name, code }: { readonly name: string; readonly code: readonly ZipEntry[] },
): Promise<(prefix: string, bodies: readonly string[]) => Promise<number>> {
  const s3 = await deployment.clients.s3();
  const sqs = await deployment.clients.sqs();
  const lambda = new LambdaClient({ endpoint: engine.endpoint, region: "us-east-1", credentials: KEYS });
  const { QueueUrl = "" } = await sqs.send(
    new CreateQueueCommand({ QueueName: name, Attributes: { VisibilityTimeout: "360" } }),
  );
  const arn = (await attributes(sqs, QueueUrl, ["QueueArn"]))["QueueArn"] ?? "";
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Runtime: Runtime.nodejs24x,
      Role: "arn:aws:iam::000000000000:role/function",
      Handler: "index.handler",
      Timeout: 60,
      Code: { ZipFile: zipOf(code) },
    }),
  );
  await lambda.send(
    new CreateEventSourceMappingCommand({
      EventSourceArn: arn,
      FunctionName: name,
      BatchSize: BATCHES.ingest.size,
      ScalingConfig: { MaximumConcurrency: COPIES.maxConcurrency },
      FunctionResponseTypes: ["ReportBatchItemFailures"],
    }),
  );
  await bucketWithQueue(s3, { Bucket: name, arn });
  const put: Put = (Key, Body) => s3.send(new PutObjectCommand({ Bucket: name, Key, Body }));
  return async (prefix, bodies) => {
    const started = performance.now();
    await putAll(put, prefix, bodies);
    for (;;) {
      const depths = Object.values(await attributes(sqs, QueueUrl, DEPTHS)).map(Number);
      if (depths.every((depth) => depth === 0)) return (performance.now() - started) / 1000;
      await sleep(50);
    }
  };
}

const KEYS = { accessKeyId: "test", secretAccessKey: "test" };
const NOTHING = "export const handler = async () => ({ batchItemFailures: [] });\n";
const DEPTHS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;

async function bucketWithQueue(
  s3: S3Client,
  { Bucket, arn }: { readonly Bucket: string; readonly arn: string },
): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket,
      NotificationConfiguration: {
        QueueConfigurations: [{ QueueArn: arn, Events: ["s3:ObjectCreated:*"] }],
      },
    }),
  );
}

async function attributes(
  sqs: SQSClient,
  QueueUrl: string,
  names: readonly ((typeof DEPTHS)[number] | "QueueArn")[],
): Promise<Readonly<Record<string, string>>> {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] });
  return (await sqs.send(command)).Attributes ?? {};
}

function row(round: number, index: number): string {
  const calls = Array.from(
    { length: 8 },
    (_, turn) => [`cat file-${turn}.txt`, "a line\n".repeat(20)] as const,
  );
  return `${chatRow({ task: `round-${round}-${index}`, success: true, calls })}\n`;
}
