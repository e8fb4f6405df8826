import { z } from "zod";
import type { DeployedDataset } from "../contracts/deployment-config.ts";
import type { IngestQueueMessage, JudgeQueueMessage, ScoreQueueMessage } from "../contracts/messages.ts";
import type { Catalog } from "../ports/catalog.ts";
import type { Clock } from "../ports/clock.ts";
import type { Drop } from "../ports/drop.ts";
import type { Events } from "../ports/events.ts";
import type { Jobs } from "../ports/jobs.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { MessageQueue } from "../ports/queue.ts";
import { announce, askForDue, leaseKey, sendPending } from "./export-run.ts";
import { JOB_RECORDS, jobRecordSchema } from "./hand-over.ts";
import { openBatches } from "./judge/collect.ts";
import { isHeld } from "./lease.ts";
import { changeRecord, readRecord } from "./ledger-record.ts";

export interface SweepPorts {
  readonly drop: Drop;
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly jobs: Jobs;
  readonly events: Events;
  readonly clock: Clock;
  readonly datasets: readonly DeployedDataset[];
  readonly ingestQueue: MessageQueue;
  readonly scoreQueue: MessageQueue;
  readonly exportQueue: MessageQueue;
  /** Absent where the settings have no judge. */
  readonly judgeQueue?: MessageQueue;
  /** Stops in time: each part goes on where the last sweep stopped. */
  readonly outOfTime?: () => boolean;
}

export interface SweepReport {
  /** Dropped objects that nobody had read: sent to ingest again. */
  readonly missed: number;
  /** Trajectories that had waited too long for a score: sent to score again. */
  readonly unscored: number;
  /** Exports asked for: due by threshold, or waiting for a turn that did not come. */
  readonly exports: number;
  /** Registered datasets whose event had not gone out. */
  readonly announced: number;
  /** The judge's batches that the provider must have ended long ago, and nobody has taken in. */
  readonly uncollected: number;
  /** Work whose job is gone: its message comes again. */
  readonly lostJobs: number;
  /** Ids of documents without a catalog row: their ingest was stopped in between, and its message comes again. */
  readonly strays: readonly string[];
  /** Ids of catalog rows without their document: somebody removed it. */
  readonly missing: readonly string[];
}

/** What is younger than this may still be under way. */
const GRACE_MS = 30 * 60_000;
const DAY_MS = 24 * 60 * 60_000;
/** Providers end a batch within a day. */
const BATCH_MS = DAY_MS + 2 * 60 * 60_000;
/** Per sweep; the next one goes on. */
const MOST_OBJECTS = 5000;
const MOST_UNSCORED = 1000;
const MOST_IDS = 100_000;
const MOST_NAMED = 100;

const cursorSchema = z.strictObject({ schema: z.literal("gymline.cursor.v1"), position: z.string() });

/**
 * Reconciles store, catalog, queues and jobs: finds what a lost message, a killed process or an outage left undone and
 * sets it going again. Everything it does may be done twice. Run on a schedule; bounded, goes round and round.
 */
export async function sweep(ports: SweepPorts): Promise<SweepReport> {
  const exports = await sweepExports(ports);
  const announced = await sweepDatasets(ports);
  const unscored = await sweepUnscored(ports);
  const uncollected = await sweepBatches(ports);
  const lostJobs = await sweepJobs(ports);
  const missed = await sweepDrop(ports);
  const { strays, missing } = await sweepDocuments(ports);
  return { missed, unscored, exports, announced, uncollected, lostJobs, strays, missing };
}

async function sweepExports(ports: SweepPorts): Promise<number> {
  const { ledger, clock, datasets, exportQueue: queue, catalog } = ports;
  let asked = 0;
  for (const dataset of datasets) {
    const { name } = dataset.request;
    if (await isHeld(leaseKey(name), { ledger, clock })) continue;
    const sent =
      (await sendPending(name, { ledger, queue })) ||
      (await askForDue(dataset, { catalog, ledger, queue, cause: "sweep" }));
    if (sent) asked += 1;
  }
  return asked;
}

async function sweepDatasets(ports: SweepPorts): Promise<number> {
  let count = 0;
  for await (const dataset of ports.catalog.datasets()) {
    if (dataset.announced || ports.clock.now() - dataset.createdAt < GRACE_MS) continue;
    await announce(dataset, ports);
    count += 1;
  }
  return count;
}

async function sweepUnscored({ catalog, clock, scoreQueue }: SweepPorts): Promise<number> {
  const ids = await catalog.unscored({ before: clock.now() - GRACE_MS, limit: MOST_UNSCORED });
  const bodies = ids.map((id): string =>
    JSON.stringify({ schema: "gymline.score.v1", id } satisfies ScoreQueueMessage),
  );
  if (bodies.length > 0) await scoreQueue.send(bodies);
  return ids.length;
}

/** Has the judge's batches looked after, should its own schedule fail to. */
async function sweepBatches({ ledger, clock, judgeQueue }: SweepPorts): Promise<number> {
  if (judgeQueue === undefined) return 0;
  const ages = (await openBatches({ ledger })).map(({ at }) => clock.now() - at);
  if (ages.some((age) => age >= GRACE_MS)) {
    const message: JudgeQueueMessage = { schema: "gymline.judge.v1", kind: "collect" };
    await judgeQueue.send([JSON.stringify(message)]);
  }
  return ages.filter((age) => age >= BATCH_MS).length;
}

/** A record whose job Batch no longer knows, or that ended long ago, has done its duty. */
async function sweepJobs({ ledger, jobs, clock }: SweepPorts): Promise<number> {
  let lost = 0;
  for await (const { key, value, version } of ledger.list(JOB_RECORDS)) {
    const { jobId, claimedAt } = jobRecordSchema.parse(JSON.parse(value));
    const age = clock.now() - claimedAt;
    if (age < GRACE_MS) continue;
    const [status] = jobId === undefined ? [] : await jobs.describe([jobId]);
    if (status === undefined) {
      // What it was to do is found by the other parts of the sweep: an unread object, a due export.
      await ledger.remove(key, version);
      lost += 1;
    } else if (status.state === "SUCCEEDED" && age > 7 * DAY_MS) {
      await ledger.remove(key, version);
    }
  }
  return lost;
}

async function sweepDrop(ports: SweepPorts): Promise<number> {
  const { drop, catalog, clock, ledger, ingestQueue } = ports;
  const start = await cursor(ledger, "drop");
  const bodies: string[] = [];
  let seen = 0;
  let stoppedAt = "";
  for await (const { key, modifiedAt } of drop.list(start === "" ? {} : { after: start })) {
    seen += 1;
    if (clock.now() - modifiedAt >= GRACE_MS && (await isUnread(key, { drop, catalog }))) {
      const message: IngestQueueMessage = { schema: "gymline.ingest.v1", key, force: false };
      bodies.push(JSON.stringify(message));
    }
    if (seen < MOST_OBJECTS && ports.outOfTime?.() !== true) continue;
    stoppedAt = key;
    break;
  }
  if (bodies.length > 0) await ingestQueue.send(bodies);
  await setCursor(ledger, "drop", stoppedAt);
  return bodies.length;
}

/** Not read at all, or another object than the one that was read. What was read and rejected has its report. */
async function isUnread(key: string, ports: Pick<SweepPorts, "drop" | "catalog">): Promise<boolean> {
  const known = await ports.catalog.object(key);
  if (known === undefined) return true;
  const fingerprint = await ports.drop.fingerprint(key);
  return fingerprint !== undefined && fingerprint !== known.fingerprint;
}

/** Documents lie in 256 folders; one of them is looked at in each sweep. */
async function sweepDocuments(ports: SweepPorts): Promise<Pick<SweepReport, "strays" | "missing">> {
  const { store, catalog, ledger } = ports;
  const folder = (await cursor(ledger, "documents")) || "00";
  const stored = new Set<string>();
  for await (const { key } of store.list(`trajectories/${folder}/`)) {
    const id = /\/([0-9a-f]{64})\.json\.\w+$/.exec(key)?.[1];
    if (id !== undefined) stored.add(id);
  }
  const missing: string[] = [];
  for (let byte = 0; byte < 256; byte += 1) {
    for (const id of await catalog.idsWithPrefix(folder + hex(byte), MOST_IDS)) {
      if (!stored.delete(id)) missing.push(id);
    }
  }
  const strays: string[] = [];
  for (const id of stored) if ((await catalog.entry(id)) === undefined) strays.push(id);
  await setCursor(ledger, "documents", hex((Number.parseInt(folder, 16) + 1) % 256));
  return { strays: strays.slice(0, MOST_NAMED), missing: missing.slice(0, MOST_NAMED) };
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

async function cursor(ledger: Ledger, name: string): Promise<string> {
  return (await readRecord(ledger, `cursor/${name}`, cursorSchema))?.value.position ?? "";
}

async function setCursor(ledger: Ledger, name: string, position: string): Promise<void> {
  await changeRecord({ ledger, key: `cursor/${name}`, schema: cursorSchema }, () => ({
    schema: "gymline.cursor.v1",
    position,
  }));
}
