import { setTimeout as sleep } from "node:timers/promises";
import { SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { afterAll, describe, expect, it } from "vitest";
import { judgementKey, scoreKey } from "../../shared/contracts/keys.ts";
import type { JudgeQueueMessage } from "../../shared/contracts/messages.ts";
import { modelSecretName } from "../../shared/contracts/names.ts";
import { evidenceOf } from "../../shared/stages/add-evidence.ts";
import { openBatches } from "../../shared/stages/judge/collect.ts";
import { readScore, type StoredScore } from "../../shared/stages/score-trajectory.ts";
import { type ModelServer, startModelServer } from "../factories/model-server/model-server.ts";
import { fault } from "../factories/model-server/replies.ts";
import { createRandom } from "../fuzz/random.ts";
import { type TestEngineName, useEngine } from "../local-stack/engine.ts";
import { scores } from "../stages/judge/judge-desk.ts";
import { deployPipeline, type TestDeployment, until } from "./deployment.ts";
import { functionProcesses } from "./function-processes.ts";
import { rows } from "./suite-support.ts";

const COLLECT: JudgeQueueMessage = { schema: "gymline.judge.v1", kind: "collect" };
const submit = (id: string): JudgeQueueMessage => ({ schema: "gymline.judge.v1", kind: "submit", id });
const KEY = "a-key-of-the-provider";

/** The deployed judge, from an uploaded log to scores that its judgements count in, on one engine. */
export function judgeSuite(name: TestEngineName, { withinMs }: { readonly withinMs: number }): void {
  describe(`the judge, deployed on ${name}`, { timeout: 4 * withinMs }, () => {
    let deployment: TestDeployment;
    let provider: ModelServer;
    const engine = useEngine(name, async ({ running }) => {
      // It lets nobody in without the key that the secret holds.
      provider = await startModelServer(scores(0.2), { batchPolls: null, apiKey: KEY });
      const timing = { timeoutSeconds: 30 };
      deployment = await deployPipeline({
        engine: running,
        config: {
          name: "judged",
          onDelete: "destroy",
          maxReceives: 5,
          // Each test sends the message itself.
          judgeCollect: "rate(1 day)",
          functions: { ingest: timing, score: timing, judge: { timeoutSeconds: 40 }, sweep: timing },
        },
        project: { judge: { baseUrl: provider.url } },
      });
      const { PutSecretValueCommand } = await import("@aws-sdk/client-secrets-manager");
      const secrets = await deployment.clients.secretsManager();
      await secrets.send(
        new PutSecretValueCommand({
          SecretId: modelSecretName("judged"),
          SecretString: JSON.stringify({ ANTHROPIC_API_KEY: KEY, OPENAI_API_KEY: "" }),
        }),
      );
      // What a killed function had in hand comes back after this, and not after six times its time-out.
      const sqs = await deployment.clients.sqs();
      const Attributes = { VisibilityTimeout: "45" };
      for (const queue of ["JudgeQueueUrl", "ScoreQueueUrl"]) {
        const QueueUrl = deployment.output(queue);
        await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
      }
    });
    afterAll(async () => {
      await deployment?.close();
      await provider?.close();
    });
    const random = createRandom(23, 0);
    const quiet = { withinMs, everyMs: 500 };

    const send = (messages: readonly JudgeQueueMessage[]): Promise<void> =>
      deployment.queue("Judge").send(messages.map((message) => JSON.stringify(message)));

    /** Ids of a new log that were scored by rules, with the score that each has. */
    const scored = async (log: string, count: number): Promise<ReadonlyMap<string, StoredScore>> => {
      const key = `judged/${log}.jsonl`;
      await deployment.put(key, rows(log, count));
      return until(`the rows of ${log} are scored`, quiet, async () => {
        const found = await scoresOf(await deployment.catalog.idsFrom(key));
        return found.size === count ? { done: found } : { waiting: found.size };
      });
    };

    const scoresOf = async (ids: readonly string[]): Promise<ReadonlyMap<string, StoredScore>> => {
      const found = new Map<string, StoredScore>();
      for (const id of ids) {
        const scorer = (await deployment.catalog.entry(id))?.scorer ?? null;
        if (scorer !== null) found.set(id, readScore(await deployment.store.read(scoreKey(id, scorer))));
      }
      return found;
    };

    /** Until a batch that asks about so many trajectories is away. */
    const away = (trajectories: number): Promise<unknown> =>
      until("the batches are away", quiet, async () => {
        const open = await openBatches(deployment);
        const sum = open
          .filter(({ phase }) => phase === "submitted")
          .reduce((total, batch) => total + batch.trajectories, 0);
        return sum >= trajectories ? { done: open } : { waiting: open };
      });

    /** A batch is closed a moment after the last of its trajectories was judged. */
    const closed = (): Promise<unknown> =>
      until("no batch is open", quiet, async () => {
        const open = await openBatches(deployment);
        return open.length === 0 ? { done: true } : { waiting: open };
      });

    /** Until all of them have a score that a judgement counts in. */
    const judged = (ids: Iterable<string>): Promise<ReadonlyMap<string, StoredScore>> =>
      until("all are judged and scored again", quiet, async () => {
        const found = await scoresOf([...ids]);
        const open = [...found.values()].filter(({ judge }) => judge === undefined || judge === null);
        return open.length === 0 ? { done: found } : { waiting: open.length };
      });

    it("sends what was scored to the provider as a batch, and scores it again by the answers", async () => {
      const before = await scored("first", 6);
      await away(6);
      await provider.endBatches();
      await send([COLLECT]);
      const after = await judged(before.keys());
      for (const [id, score] of after) {
        expect(score.scorer).not.toBe(before.get(id)?.scorer);
        expect(score.total).not.toBe(before.get(id)?.total);
        expect(await deployment.catalog.entry(id)).toMatchObject({ reward: score.total });
        const { judges } = await evidenceOf(id, deployment.ledger);
        expect(judges).toHaveLength(1);
        expect(await deployment.store.exists(judgementKey(id, judges[0] ?? ""))).toBe(true);
      }
      await closed();
      expect(provider.asked).toHaveLength(6);
    });

    it("asks once about each, however often and in whatever order messages come", async () => {
      const askedBefore = provider.asked.length;
      const before = await scored("second", 5);
      const ids = [...before.keys()];
      const messages = [...ids, ...ids, ...ids].map(submit).concat(COLLECT, COLLECT, COLLECT);
      await send(messages.toSorted(() => random.int(3) - 1));
      await away(5);
      await provider.endBatches();
      await send([COLLECT, ...ids.map(submit), COLLECT]);
      await judged(ids);
      await send([...ids.map(submit), COLLECT]);
      await until("the judge's queue is empty", quiet, async () => {
        const depth = await deployment.depth("JudgeQueueUrl");
        return depth === 0 ? { done: true } : { waiting: depth };
      });
      expect(provider.asked.length - askedBefore).toBe(5);
      await closed();
      expect(await deployment.depth("JudgeDlqUrl")).toBe(0);
    });

    it("finds the batch again that a killed function had just sent", async () => {
      const { pid } = engine.running;
      if (pid === undefined) throw new Error("the engine runs somewhere else");
      const askedBefore = provider.asked.length;
      const creations = () =>
        provider.calls.filter(({ method, path }) => method === "POST" && path.endsWith("/batches")).length;
      const created = creations();
      // The provider makes the batch, and its answer never comes.
      provider.failNext("batch-create", fault("silence"));
      const before = await scored("third", 4);
      await until("the provider has the batch", { withinMs, everyMs: 50 }, async () =>
        creations() > created ? { done: true } : { waiting: "no call" },
      );
      await sleep(300);
      const victims = functionProcesses(pid);
      for (const victim of victims) process.kill(victim, "SIGKILL");
      expect(victims.length).toBeGreaterThan(0);
      await outliveLease(deployment);
      await provider.endBatches();
      await until("what was judged is scored again", { withinMs, everyMs: 3000 }, async () => {
        await send([COLLECT]);
        const found = await scoresOf([...before.keys()]);
        const open = [...found.values()].filter(({ judge }) => judge === undefined || judge === null);
        if (open.length > 0) await provider.endBatches();
        return open.length === 0 ? { done: true } : { waiting: open.length };
      });
      await closed();
      expect(provider.asked.length - askedBefore).toBe(4);
      expect(await deployment.depth("JudgeDlqUrl")).toBe(0);
    });
  });
}

/** A killed function holds the lease on the queue's work for a quarter of an hour: as if that had passed. */
async function outliveLease({ ledger }: TestDeployment): Promise<void> {
  const key = "judge/lease/messages";
  const held = await ledger.get(key);
  if (held === undefined) throw new Error("nobody held the lease");
  const lease = { ...JSON.parse(held.value), expiresAt: 0 };
  expect(await ledger.put(key, JSON.stringify(lease), held.version)).toBe("stored");
}
