import { mkdtempDisposableSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { CreateQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { evaluationKey, loopRunKey } from "../../shared/contracts/keys.ts";
import { type LoopRun, loopRunSchema } from "../../shared/contracts/loop.ts";
import { readLoop } from "../../shared/loop/loop-record.ts";
import { readLine } from "../../shared/registry/registry.ts";
import { readStored } from "../../shared/stages/stored-json.ts";
import { chatRow } from "../factories/logs.ts";
import { useEngine } from "../local-stack/engine.ts";
import { deployPipeline, type TestDeployment, until } from "./deployment.ts";

/** What the tiny model was made for. */
const task = (id: string): string =>
  `${JSON.stringify({
    id,
    description: "When do you open?",
    conversation: {
      criteria: [
        { kind: "called", tool: "query_stats", arguments: { query: { equals: "opening hours" } } },
        { kind: "message", which: "last", text: { contains: "nine" } },
      ],
    },
  })}\n`;
const tasks = (name: string, count: number): string =>
  Array.from({ length: count }, (_, index) => task(`${name}-${index}`)).join("");

const ROLLOUTS = { env: { id: "gymline/conversation-v1" }, backend: "process" } as const;

describe("a loop on the local AWS stack, with a trainer that stands in and leaves a tiny model", {
  timeout: 600_000,
}, () => {
  let deployment: TestDeployment;
  let seen: () => Promise<readonly string[]>;
  const batchHome = mkdtempDisposableSync(join(tmpdir(), "gymline-batch-"));
  useEngine("ministack", async ({ running }) => {
    deployment = await deployPipeline({
      engine: running,
      batchHome: batchHome.path,
      trainer: [process.execPath, resolve(import.meta.dirname, "stand-in-trainer.ts")],
      files: { "held-out.jsonl": tasks("held-out", 12), "train.jsonl": tasks("train", 2) },
      config: {
        ...{ name: "loop", onDelete: "destroy" },
        datasets: [{ request: { name: "sft", minReward: 0 } }],
        batch: {
          training: { vcpus: 1, memoryMiB: 2048 },
          rollouts: { concurrency: 1, sandbox: { vcpus: 0.5, memoryMiB: 64 }, job: { memoryMiB: 512 } },
        },
        loop: [
          {
            ...{ model: "agent", dataset: "sft", retrain: { minimumNew: 1 } },
            promotion: { first: { least: 0.3 }, minimumTasks: 10, minimumEpisodes: 10 },
            train: { base: "tiny/model" },
            evaluate: { ...ROLLOUTS, tasks: "held-out.jsonl", shards: 2 },
            collect: { ...ROLLOUTS, tasks: "train.jsonl", project: "team" },
          },
        ],
      },
    });
    seen = await eventsOf(deployment);
  });
  afterAll(async () => {
    await deployment?.close();
    batchHome.remove();
  });

  /** Drops a log, and asks for a dataset once it is scored. */
  async function publish(name: string, logs: number): Promise<void> {
    await deployment.put(`team/${name}.json`, chatRow({ task: name, prompt: `Do ${name}.` }));
    await until(`${name} is scored`, { withinMs: 120_000, everyMs: 500 }, async () => {
      const scored = (await deployment.entries()).filter(({ scorer }) => scorer !== null);
      return scored.length >= logs ? { done: true } : { waiting: scored.length };
    });
    await deployment
      .queue("Export")
      .send([JSON.stringify({ schema: "gymline.export.v1", dataset: "sft", cause: "request" })]);
  }

  const ended = (before: readonly string[]): Promise<LoopRun> =>
    until("the loop's run has ended", { withinMs: 240_000, everyMs: 1000 }, async () => {
      const { active, trained, skipped } = (await readLoop("agent", deployment.ledger)).value;
      for await (const { key } of deployment.store.list("loops/agent/")) {
        if (key.endsWith(".training.json") || before.includes(key)) continue;
        const run = await readStored(key, loopRunSchema, deployment.store);
        if (run !== undefined && active === null) return { done: run };
      }
      return { waiting: { active, trained, skipped } };
    });

  it("goes from a published dataset by jobs to a champion whose rollouts come back, and rejects the next, which is no better", async () => {
    await publish("one", 1);
    const first = await ended([]);
    expect(first).toMatchObject({ state: "promoted", champion: null, reason: null });
    expect(first.steps).toMatchObject({
      train: { ended: "succeeded" },
      candidate: { ended: "succeeded" },
      collect: { ended: "succeeded" },
    });
    expect((await readLine("agent", deployment.ledger))?.champion).toBe(first.version);
    expect(await deployment.store.exists(evaluationKey(first.evaluation ?? ""))).toBe(true);
    // The champion's rollouts and the log, but none of the twelve of the evaluation.
    const entries = await until("the champion's logs are taken in", { withinMs: 120_000 }, async () => {
      const found = (await deployment.entries()).filter(({ scorer }) => scorer !== null);
      return found.length >= 3 ? { done: found } : { waiting: found.length };
    });
    const names = entries.map(({ taskId }) => taskId).toSorted();
    expect(names).toEqual(["one", "train-0", "train-1"]);

    await publish("two", 4);
    const second = await ended([loopRunKey("agent", first.id)]);
    expect(second).toMatchObject({ state: "rejected", champion: first.version, parent: first.version });
    const line = await readLine("agent", deployment.ledger);
    expect([line?.champion, line?.versions[second.version ?? ""]?.state]).toEqual([
      first.version,
      "rejected",
    ]);
    const types = await seen();
    for (const type of [
      "training.requested",
      "training.submitted",
      "training.finished",
      "model.registered",
    ]) {
      expect(types.filter((each) => each === type).length).toBeGreaterThanOrEqual(2);
    }
    expect(types).toEqual(
      expect.arrayContaining(["model.promoted", "model.rejected", "evaluation.finished"]),
    );
    expect(types).not.toContain("loop.stopped");
    expect(await deployment.depth("LoopDlqUrl")).toBe(0);
  });
});

const eventSchema = z.object({ "detail-type": z.string() });

/** Listens on the deployment's bus; gives the types of the events that came since. */
async function eventsOf({ clients, output }: TestDeployment): Promise<() => Promise<readonly string[]>> {
  const [sqs, events] = await Promise.all([clients.sqs(), clients.eventBridge()]);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "loop-events" }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
  );
  const bus = { EventBusName: output("EventBusName") };
  const EventPattern = JSON.stringify({ source: ["gymline"] });
  await events.send(new PutRuleCommand({ ...bus, Name: "loop-events", EventPattern }));
  const target = { Id: "queue", Arn: Attributes?.["QueueArn"] };
  await events.send(new PutTargetsCommand({ ...bus, Rule: "loop-events", Targets: [target] }));
  return async () => {
    const types: string[] = [];
    for (;;) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600 }),
      );
      if (Messages.length === 0) return types;
      types.push(...Messages.map(({ Body = "" }) => eventSchema.parse(JSON.parse(Body))["detail-type"]));
    }
  };
}
