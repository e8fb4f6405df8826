import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import { z } from "zod";
import type { ObjectStore } from "../../shared/ports/object-store.ts";
import { chatRow } from "../factories/logs.ts";
import type { TestEngine } from "../local-stack/engine.ts";
import type { FaultRule } from "../local-stack/fault-proxy.ts";
import { type TestDeployment, until } from "./deployment.ts";

/** What befalls the functions' requests: throttles, 500s, lost answers, broken connections, slow answers. */
export const FAULTS: readonly FaultRule[] = [
  {
    service: "dynamodb",
    fault: { kind: "error", status: 400, code: "ProvisionedThroughputExceededException" },
    chance: 0.02,
  },
  { service: "s3", fault: { kind: "error", status: 503, code: "SlowDown" }, chance: 0.02 },
  { fault: { kind: "error", status: 500, code: "InternalError" }, chance: 0.01 },
  { fault: { kind: "lose-answer" }, chance: 0.01 },
  { operation: "GetObject", fault: { kind: "cut-answer", afterBytes: 100 }, chance: 0.01 },
  { service: "sqs", operation: "SendMessageBatch", fault: { kind: "fail-entries", share: 0.2 }, chance: 0.1 },
  { fault: { kind: "delay", ms: 300 }, chance: 0.01 },
];

const STATE_CHANGES = "batch-states";
const eventSchema = z.object({ detail: z.object({ status: z.string() }) });

/** Listens on the engine's default bus, as a rule of the stack would; gives the states of jobs that came since. */
export async function batchStates({ clients }: TestDeployment): Promise<() => Promise<readonly string[]>> {
  const sqs = await clients.sqs();
  const events = await clients.eventBridge();
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: STATE_CHANGES }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  const EventPattern = JSON.stringify({ "detail-type": ["Batch Job State Change"] });
  await events.send(new PutRuleCommand({ Name: STATE_CHANGES, EventPattern }));
  const target = { Id: "queue", Arn: Attributes?.["QueueArn"] };
  await events.send(new PutTargetsCommand({ Rule: STATE_CHANGES, Targets: [target] }));
  return async () => {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    );
    return Messages.map(({ Body = "" }) => eventSchema.parse(JSON.parse(Body)).detail.status);
  };
}

/** As an operator does it. */
export async function redrive(engine: TestEngine, name: string): Promise<void> {
  const main = resolve(import.meta.dirname, "../../containers/gymline/main.ts");
  const run = promisify(execFile);
  await run(process.execPath, [main, "redrive", "ingest", "--deployment", name], {
    env: { PATH: process.env["PATH"], ...engine.running.env },
  });
}

/** Sets the visibility time-out of the ingest and score queues, in seconds. */
export async function visibility(deployment: TestDeployment, seconds: string): Promise<void> {
  const sqs = await deployment.clients.sqs();
  for (const queue of ["IngestQueueUrl", "ScoreQueueUrl"]) {
    const QueueUrl = deployment.output(queue);
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: seconds } }));
  }
}

/** Until no message is in any queue, waiting or being handled. */
export async function drained(deployment: TestDeployment, withinMs: number): Promise<void> {
  let empty = 0;
  await until("all queues are empty", { withinMs, everyMs: 500 }, async () => {
    const depths = await Promise.all(
      ["IngestQueueUrl", "ScoreQueueUrl", "ExportQueueUrl"].map((queue) => deployment.depth(queue)),
    );
    // A message may be on its way from one stage to the next.
    empty = depths.every((depth) => depth === 0) ? empty + 1 : 0;
    return empty >= 3 ? { done: true } : { waiting: depths };
  });
}

export function rows(task: string, count: number, output = "ok"): string {
  return Array.from(
    { length: count },
    (_, index) =>
      `${chatRow({ task: `${task}-${index}`, success: true, calls: [[`echo ${task} ${index}`, output]] })}\n`,
  ).join("");
}

export async function same(one: ObjectStore, other: ObjectStore, key: string): Promise<boolean> {
  const [left, right] = await Promise.all([one.read(key), other.read(key)]);
  return Buffer.from(left).equals(Buffer.from(right));
}
