import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { CreateQueueCommand } from "@aws-sdk/client-sqs";
import { z } from "zod";
import { bundleFunction } from "../../infra/constructs/function-bundle.ts";
import { ministack } from "../../infra/local/engines/ministack.ts";
import { awsClients } from "../../shared/adapters/aws/aws-clients.ts";
import { recordId } from "../../shared/trajectory/identity.ts";
import { createCatalogTable } from "../factories/create-catalog-table.ts";
import { chatRow } from "../factories/logs.ts";
import type { Figure } from "./figure.ts";
import { functionEnvironment } from "./function-environment.ts";
import { median } from "./median.ts";

const root = resolve(import.meta.dirname, "../..");
const ROUNDS = 7;
/** Steps of a trajectory; each brings about 1.4 KB. */
const STEPS = [8, 80, 800, 8000] as const;

/**
 * How long a warm function takes for one message, by the size of the trajectory, in a process like Lambda's: the bundle
 * of the deployment, with the local engine in the place of AWS.
 */
export async function benchWarm(): Promise<readonly Figure[]> {
  const home = mkdtempSync(join(tmpdir(), "gymline-bench-"));
  const engine = ministack({ cache: resolve(root, ".cache/engines"), home });
  try {
    const { env } = await engine.start();
    const clients = awsClients(env);
    const [s3, sqs] = [await clients.s3(), await clients.sqs()];
    for (const Bucket of ["drop", "store"]) await s3.send(new CreateBucketCommand({ Bucket }));
    await createCatalogTable(await clients.dynamoDb(), "table");
    const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: "queue" }));
    const queues = Object.fromEntries(
      ["INGEST_QUEUE", "INGEST_DLQ", "SCORE_QUEUE", "EXPORT_QUEUE", "SWEEP_QUEUE"].map((name) => [
        `GYMLINE_${name}_URL`,
        QueueUrl,
      ]),
    );
    const start = (stage: string): FunctionProcess => {
      const folder = join(home, stage);
      const settings = JSON.stringify({ schema: "gymline.settings.v1", config: {} });
      bundleFunction({ entry: join(root, "functions", stage, "handler.ts"), folder, settings });
      const variables = { ...functionEnvironment(folder), ...queues, ...env };
      return new FunctionProcess(folder, { ...variables, GYMLINE_FUNCTION_OBJECT_BYTES: "1000000000" });
    };
    const functions = { ingest: start("ingest"), score: start("score"), export: start("export") };
    const figures: Figure[] = [];
    for (const steps of STEPS) {
      const times = { ingest: [] as number[], score: [] as number[] };
      let bytes = 0;
      for (let round = 0; round <= ROUNDS; round += 1) {
        const body = row(`${steps} steps, round ${round}`, steps);
        bytes = body.length;
        const key = `bench/${steps}-${round}.jsonl`;
        await s3.send(new PutObjectCommand({ Bucket: "drop", Key: key, Body: body }));
        const ingested = await functions.ingest.handle({ schema: "gymline.ingest.v1", key });
        const id = recordId(Buffer.from(body), 0);
        const scored = await functions.score.handle({ schema: "gymline.score.v1", id });
        // The first of each size warms up.
        if (round === 0) continue;
        times.ingest.push(ingested);
        times.score.push(scored);
      }
      const size = `${Math.round(bytes / 1024)} KiB, ${steps} steps`;
      figures.push({ name: `ingest, warm: ${size}`, value: median(times.ingest), unit: "ms" });
      figures.push({ name: `score, warm: ${size}`, value: median(times.score), unit: "ms" });
    }
    const request = { name: "bench" };
    const exported = await functions.export.handle({
      ...{ schema: "gymline.export.v1", dataset: "bench", cause: "request", request },
    });
    const total = STEPS.length * (ROUNDS + 1);
    figures.push({ name: `export, warm: ${total} rows of all sizes`, value: exported, unit: "ms" });
    for (const { stop } of Object.values(functions)) stop();
    await clients.close();
    return figures;
  } finally {
    await engine.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

const answerSchema = z.object({ ms: z.number(), failures: z.number() });

/** A process that holds one function and hands it one message at a time, as Lambda does. */
class FunctionProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #ended: Promise<unknown>;

  constructor(folder: string, env: Readonly<Record<string, string>>) {
    const script = join(folder, "host.mjs");
    writeFileSync(script, HOST);
    this.#child = spawn(process.execPath, [script], {
      cwd: folder,
      env: { PATH: process.env["PATH"], ...env },
      stdio: ["pipe", "ignore", "inherit", "pipe"],
    });
    this.#ended = once(this.#child, "exit");
    const answers = this.#child.stdio[3];
    if (answers === null || answers === undefined || !("read" in answers))
      throw new Error("no pipe to answer by");
    this.#lines = createInterface({ input: answers })[Symbol.asyncIterator]();
  }

  /** Milliseconds that the function took. */
  async handle(body: unknown): Promise<number> {
    this.#child.stdin?.write(`${JSON.stringify(body)}\n`);
    const line = await Promise.race([this.#lines.next(), this.#ended.then(() => undefined)]);
    if (line === undefined || line.done === true) throw new Error("the function's process ended");
    const { ms, failures } = answerSchema.parse(JSON.parse(line.value));
    if (failures > 0) throw new Error(`the function failed on ${JSON.stringify(body)}`);
    return ms;
  }

  stop = (): void => void this.#child.kill();
}

const HOST = `
import { createInterface } from "node:readline";
import { writeSync } from "node:fs";
const { handler } = await import("./index.mjs");
for await (const body of createInterface({ input: process.stdin })) {
  const deadline = performance.now() + 300_000;
  const record = { messageId: "m", receiptHandle: "r", body, attributes: { ApproximateReceiveCount: "1" }, eventSource: "aws:sqs" };
  const context = { awsRequestId: "bench", functionName: "bench", getRemainingTimeInMillis: () => deadline - performance.now() };
  const started = performance.now();
  const { batchItemFailures } = await handler({ Records: [record] }, context);
  writeSync(3, JSON.stringify({ ms: performance.now() - started, failures: batchItemFailures.length }) + "\\n");
}
`;

function row(task: string, steps: number): string {
  const output = "src/module.ts:12: export function parse(text: string): Tree {\n".repeat(20);
  const calls = Array.from(
    { length: steps },
    (_, step) => [`cat src/file-${step}.ts # ${task}`, output] as const,
  );
  return `${chatRow({ task, success: true, calls })}`;
}
