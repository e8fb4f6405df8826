import { mkdirSync, mkdtempDisposableSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, describe, expect, it } from "vitest";
import { openForReading } from "../../shared/adapters/local/local-store.ts";
import { runPipeline } from "../../shared/adapters/local/run-pipeline.ts";
import { datasetRequestSchema } from "../../shared/contracts/dataset-request.ts";
import { rejectionReportKey, scoreKey, trajectoryKey } from "../../shared/contracts/keys.ts";
import type { ExportQueueMessage } from "../../shared/contracts/messages.ts";
import { documentFault } from "../../shared/stages/check-document.ts";
import { readScore } from "../../shared/stages/score-trajectory.ts";
import { temporaryFolder } from "../factories/temporary.ts";
import { createRandom } from "../fuzz/random.ts";
import { type TestEngineName, useEngine } from "../local-stack/engine.ts";
import { type FaultProxy, startFaultProxy } from "../local-stack/fault-proxy.ts";
import { checkedDataset } from "./checked-dataset.ts";
import { deployPipeline, type TestDeployment, until } from "./deployment.ts";
import { functionProcesses } from "./function-processes.ts";
import { bytesOf, realLogs } from "./real-logs.ts";
import { batchStates, drained, FAULTS, redrive, rows, same, visibility } from "./suite-support.ts";

export interface SuiteSize {
  /** Uploads under faults. */
  readonly uploads: number;
  /** How long real logs may take, and each of the other tests. */
  readonly withinMs: number;
}

/** The largest object that a function takes in itself. */
const functionObjectMiB = 1;
const ALL = datasetRequestSchema.parse({ name: "everything", success: ["true", "false", "unknown"] });

/** The deployed pipeline from the first upload to the dataset, on one engine. */
export function pipelineSuite(name: TestEngineName, size: SuiteSize): void {
  describe(`the pipeline, deployed from nothing on ${name}`, { timeout: 3 * size.withinMs }, () => {
    let deployment: TestDeployment;
    let proxy: FaultProxy;
    const datasetFiles = mkdtempDisposableSync(join(tmpdir(), "gymline-dataset-files-"));
    const checked = checkedDataset(datasetFiles.path);
    const batchHome = mkdtempDisposableSync(join(tmpdir(), "gymline-batch-"));
    const engine = useEngine(name, async ({ running, endpoint }) => {
      proxy = await startFaultProxy({ target: endpoint, seed: 7 });
      const timing = { timeoutSeconds: 30, maxConcurrency: 4 };
      deployment = await deployPipeline({
        engine: running,
        functionEndpoint: proxy.endpoint,
        batchHome: batchHome.path,
        config: {
          name: "e2e",
          onDelete: "destroy",
          maxReceives: 3,
          functionObjectMiB,
          functions: { ingest: timing, score: timing, export: timing, sweep: timing },
          datasets: [{ request: { name: "auto", project: "counted" }, threshold: 5 }, { request: checked }],
        },
      });
    });
    afterAll(async () => {
      await deployment?.close();
      await proxy?.stop();
      batchHome.remove();
      datasetFiles.remove();
    });
    const random = createRandom(11, 0);

    const quiet = { withinMs: size.withinMs };

    /** Until all these objects are read and all they hold is scored. */
    const settled = (keys: readonly string[]) => {
      const open = [...keys];
      return until("all objects are read and scored", { ...quiet, everyMs: 500 }, async () => {
        // One after another, so that looking costs the engine little.
        for (let [key] = open; key !== undefined; [key] = open) {
          if ((await deployment.catalog.object(key)) === undefined)
            return { waiting: { key, open: open.length } };
          open.shift();
        }
        const unscored = await deployment.catalog.unscored({ before: Date.now() + 60_000, limit: 1000 });
        return unscored.length === 0 ? { done: true } : { waiting: { unscored: unscored.length } };
      });
    };

    const requested = async (message: Pick<ExportQueueMessage, "dataset" | "request">): Promise<string> => {
      const body = { schema: "gymline.export.v1", cause: "request", ...message };
      const versions = async (): Promise<readonly string[]> => {
        const found: string[] = [];
        for await (const dataset of deployment.catalog.datasets()) {
          if (dataset.name === message.dataset && dataset.announced) found.push(dataset.version);
        }
        return found;
      };
      const before = await versions();
      await deployment.queue("Export").send([JSON.stringify(body)]);
      return until("a dataset is published", quiet, async () => {
        const [fresh] = (await versions()).filter((version) => !before.includes(version));
        return fresh === undefined ? { waiting: before } : { done: fresh };
      });
    };

    it("makes of real logs what the embedded engine makes of them, byte for byte", async () => {
      const { logs } = realLogs();
      const folder = temporaryFolder("real-logs");
      for (const log of logs) {
        const bytes = bytesOf(log);
        mkdirSync(dirname(join(folder, log.key)), { recursive: true });
        writeFileSync(join(folder, log.key), bytes);
        await deployment.put(log.key, bytes);
      }
      const out = temporaryFolder("embedded");
      const { dataset } = await runPipeline({ drop: folder, out, dataset: ALL, threads: 1 });
      await settled(logs.map(({ key }) => key));
      const embedded = openForReading(out);
      try {
        let compared = 0;
        const mine = new Map((await deployment.entries()).map((entry) => [entry.id, entry]));
        for await (const { createdAt: _, exportCount: _count, ...entry } of embedded.catalog.select({
          includeSuperseded: true,
        })) {
          expect(mine.get(entry.id)).toMatchObject(entry);
          for (const key of [trajectoryKey(entry.id), scoreKey(entry.id, entry.scorer ?? "")]) {
            expect(await same(deployment.store, embedded.store, key), key).toBe(true);
          }
          compared += 1;
        }
        expect(compared).toBe(mine.size);
        expect(compared).toBeGreaterThan(50);
        for await (const { key } of embedded.store.list("rejected/")) {
          expect(await same(deployment.store, embedded.store, key), key).toBe(true);
        }
        const version = await requested({ dataset: ALL.name, request: ALL });
        if (dataset?.kind !== "written") throw new Error("the embedded engine wrote no dataset");
        expect(version).toBe(dataset.manifest.version);
        for (const file of ["train.jsonl", "validation.jsonl", "manifest.json", "README.md"]) {
          expect(await same(deployment.store, embedded.store, `${dataset.prefix}${file}`), file).toBe(true);
        }
      } finally {
        await embedded.close();
      }
      const again = await runPipeline({
        ...{ drop: folder, out, dataset: checked, threads: 1 },
        evaluations: (path) => readFile(path),
      });
      if (again.dataset?.kind !== "written") throw new Error("the embedded engine wrote no checked dataset");
      const { manifest, prefix } = again.dataset;
      expect(manifest.selection.excluded["task of an evaluation set, by its id"]).toBeGreaterThan(0);
      expect(manifest.statistics.tokens).toMatchObject({ by: "tokenizer", tokenizer: { name: "bytes" } });
      expect(await requested({ dataset: checked.name })).toBe(manifest.version);
      const reopened = openForReading(out);
      try {
        for (const file of ["train.jsonl", "manifest.json"]) {
          expect(await same(deployment.store, reopened.store, prefix + file), file).toBe(true);
        }
      } finally {
        await reopened.close();
      }
    });

    it("exports by itself when a threshold is reached", async () => {
      await deployment.put("counted/a.jsonl", rows("count", 6));
      const published = await until("the dataset is published", quiet, async () => {
        for await (const dataset of deployment.catalog.datasets()) {
          if (dataset.name === "auto" && dataset.announced) return { done: dataset };
        }
        return { waiting: "no dataset" };
      });
      expect(published.rows).toBeGreaterThanOrEqual(5);
    });

    it("reports a poisonous object, lets its neighbours pass, and takes it in once it is mended", async () => {
      const deadBefore = await deployment.depth("IngestDlqUrl");
      await deployment.put("poison/good 1.jsonl", rows("good-1", 1));
      await deployment.put("poison/bad +ü.json", '{"messages": [{"role": ');
      await deployment.put("poison/good 2.jsonl", rows("good-2", 1));
      await settled(["poison/good 1.jsonl", "poison/good 2.jsonl", "poison/bad +ü.json"]);
      const report = await deployment.store.read(rejectionReportKey("poison/bad +ü.json"));
      expect(JSON.parse(Buffer.from(report).toString("utf8"))).toMatchObject({ total: 1 });
      await until("its message is in the dead-letter queue", quiet, async () => {
        const depth = await deployment.depth("IngestDlqUrl");
        return depth > deadBefore ? { done: depth } : { waiting: depth };
      });
      expect(await deployment.catalog.idsFrom("poison/good 1.jsonl")).toHaveLength(1);
      expect(await deployment.catalog.idsFrom("poison/good 2.jsonl")).toHaveLength(1);
    });

    it("stores once what is announced twice, and what is announced 20 times at a time", async () => {
      const key = "twice/a log.jsonl";
      const body = JSON.stringify({
        Records: [
          {
            eventSource: "aws:s3",
            eventName: "ObjectCreated:Put",
            s3: { object: { key: "twice/a+log.jsonl", size: 1, eTag: "0" } },
          },
        ],
      });
      await deployment.put(key, rows("twice", 3));
      const sqs = await deployment.clients.sqs();
      const QueueUrl = deployment.output("IngestQueueUrl");
      await Promise.all(
        Array.from({ length: 20 }, () => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body }))),
      );
      await settled([key]);
      await drained(deployment, size.withinMs);
      const ids = await deployment.catalog.idsFrom(key);
      expect(new Set(ids).size).toBe(3);
      expect(ids).toHaveLength(3);
      const entries = (await deployment.entries()).filter(({ id }) => ids.includes(id));
      expect(entries).toHaveLength(3);
      expect(entries.every(({ scorer, reward }) => scorer !== null && reward !== null)).toBe(true);
    });

    it("hands an object that is too large for a function over to a Batch job, once", async () => {
      const key = "large/many rows.jsonl";
      const states = await batchStates(deployment);
      // A few long rows: each takes the engine a score, however long it is.
      const large = rows("large", 120, "a line of output\n".repeat(600));
      expect(Buffer.byteLength(large)).toBeGreaterThan(functionObjectMiB * 2 ** 20);
      await deployment.put(key, large);
      await settled([key]);
      expect(await deployment.catalog.object(key)).toMatchObject({ records: 120, rejected: 0 });
      expect(await deployment.catalog.scoredCount("large")).toBe(120);
      const jobs: string[] = [];
      for await (const { key: record } of deployment.ledger.list("job/ingest/")) jobs.push(record);
      expect(jobs).toHaveLength(1);
      const seen = new Set<string>();
      await until("the bus told of the job's end", quiet, async () => {
        for (const state of await states()) seen.add(state);
        return seen.has("SUCCEEDED") ? { done: true } : { waiting: [...seen] };
      });
      expect(seen).toContain("RUNNING");
    });

    it("leaves nothing half when functions are killed in the middle", async () => {
      const { pid } = engine.running;
      if (pid === undefined) throw new Error("the engine runs somewhere else");
      // Else what a killed function had in hand would come back only after six times its time-out.
      await visibility(deployment, "20");
      const keys = Array.from({ length: 40 }, (_, index) => `killed/${index}.jsonl`);
      let killed = 0;
      let putting = true;
      const killing = (async () => {
        while (putting || (await deployment.depth("IngestQueueUrl")) > 0) {
          const [victim] = functionProcesses(pid).toSorted(() => random.int(3) - 1);
          if (victim !== undefined && killed < 15) {
            process.kill(victim, "SIGKILL");
            killed += 1;
          }
          await sleep(400);
        }
      })();
      for (const [index, key] of keys.entries()) await deployment.put(key, rows(`killed-${index}`, 8));
      putting = false;
      await killing;
      await drained(deployment, size.withinMs);
      // A message whose functions were killed again and again was given up on.
      await redrive(engine, deployment.name);
      await settled(keys);
      expect(killed).toBeGreaterThan(3);
      const ids = new Set<string>();
      for (const key of keys) for (const id of await deployment.catalog.idsFrom(key)) ids.add(id);
      expect(ids.size).toBe(keys.length * 8);
      for (const entry of await deployment.entries()) {
        if (!ids.has(entry.id)) continue;
        expect(documentFault(await deployment.store.read(trajectoryKey(entry.id)), entry)).toBeUndefined();
        expect(
          readScore(await deployment.store.read(scoreKey(entry.id, entry.scorer ?? ""))).trajectory_id,
        ).toBe(entry.id);
      }
      expect(await deployment.catalog.scoredCount("killed")).toBe(ids.size);
      await visibility(deployment, "180");
    });

    it("gives up on what fails again and again, reports it, and takes it in once it is sent again", async () => {
      const key = "denied/a log.jsonl";
      await visibility(deployment, "10");
      proxy.setRules([
        {
          service: "s3",
          operation: "GetObject",
          fault: { kind: "error", status: 403, code: "AccessDenied" },
        },
      ]);
      const before = await deployment.depth("IngestDlqUrl");
      await deployment.put(key, rows("denied", 2));
      await until("the message is in the dead-letter queue", quiet, async () => {
        const depth = await deployment.depth("IngestDlqUrl");
        return depth > before ? { done: depth } : { waiting: depth };
      });
      const report = await deployment.store.read(rejectionReportKey(key));
      expect(JSON.parse(Buffer.from(report).toString("utf8"))).toMatchObject({
        rejections: [{ code: "ingest-failed", source: key }],
      });
      proxy.setRules([]);
      await redrive(engine, deployment.name);
      await until("the object is taken in", quiet, async () => {
        const ids = await deployment.catalog.idsFrom(key);
        return ids.length === 2 ? { done: ids } : { waiting: ids };
      });
      await visibility(deployment, "180");
      await until("its report is gone", quiet, async () =>
        (await deployment.store.exists(rejectionReportKey(key))) ? { waiting: key } : { done: true },
      );
    });

    it(`loses none and doubles none of ${size.uploads} uploads, whatever befalls its requests`, async () => {
      const countBefore = await deployment.catalog.scoredCount("load");
      proxy.setRules(FAULTS);
      const keys = Array.from({ length: size.uploads }, (_, index) => `load/${index}.jsonl`);
      const waiting = [...keys.entries()];
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
            const [index, key] = next;
            await deployment.put(key, rows(`load-${index}`, 1));
          }
        }),
      );
      await drained(deployment, size.withinMs);
      proxy.setRules([]);
      await settled(keys);
      const ids = new Set<string>();
      for (const key of keys) for (const id of await deployment.catalog.idsFrom(key)) ids.add(id);
      expect(ids.size).toBe(size.uploads);
      expect((await deployment.catalog.scoredCount("load")) - countBefore).toBe(size.uploads);
      expect([...proxy.struck.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(20);
    });
  });
}
