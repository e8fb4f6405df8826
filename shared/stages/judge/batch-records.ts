import { z } from "zod";
import { judgeBatchKey } from "../../contracts/keys.ts";
import { judgeConfigSchema } from "../../judge/config.ts";
import type { Ledger } from "../../ports/ledger.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import { type LedgerRecord, readRecord } from "../ledger-record.ts";
import { readStored } from "../stored-json.ts";

/**
 * One batch, from before it is made until its answers are in.
 * `draft`: it is being put together; nothing was sent. `intended`: it may have been sent; its list is in the store.
 * `submitted`: the provider has it, as `batch`.
 */
const batchRecordSchema = z.strictObject({
  schema: z.literal("gymline.judge-batch.v1"),
  submission: z.string().regex(/^[a-z0-9]{8,32}$/),
  phase: z.enum(["draft", "intended", "submitted"]),
  batch: z.string().nullable(),
  provider: z.string(),
  model: z.string(),
  requests: z.int().nonnegative(),
  trajectories: z.int().nonnegative(),
  /** Milliseconds since the epoch: when this phase began. */
  at: z.number(),
  /** Where its reservation stands. */
  run: z.string(),
  day: z.string(),
});
export type BatchRecord = Readonly<z.infer<typeof batchRecordSchema>>;

const rubricSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  weight: z.number(),
  evaluator: z.enum(["rule", "model", "human", "critic"]),
});

/** What was asked, with all that its answers are read by, so that settings may change meanwhile. Quotes nothing. */
export const batchManifestSchema = z.strictObject({
  schema: z.literal("gymline.judge-batch-list.v1"),
  submission: z.string(),
  config: judgeConfigSchema,
  /** Rubrics by the id of the judge that they make. */
  rubrics: z.record(z.string(), z.array(rubricSchema)),
  trajectories: z.array(z.strictObject({ id: z.string(), revision: z.string(), judge: z.string() })),
  /** The n-th stands in the batch as `<submission>-<n>`. `of`: positions of the trajectories that ask it. */
  requests: z.array(z.strictObject({ hash: z.string(), of: z.array(z.int().nonnegative()).min(1) })),
});
export type BatchManifest = Readonly<z.infer<typeof batchManifestSchema>>;

export const BATCH_RECORDS = "judge/batch/";

function recordKey(submission: string): string {
  return `${BATCH_RECORDS}${submission}`;
}

export function requestId(submission: string, n: number): string {
  return `${submission}-${n}`;
}

/** Position of a request in its list; undefined where the id belongs to another submission. */
export function requestNumber(submission: string, id: string): number | undefined {
  const [name, n, ...rest] = id.split("-");
  return name === submission && rest.length === 0 && /^\d+$/.test(n ?? "") ? Number(n) : undefined;
}

export async function* batchRecords(ledger: Ledger): AsyncGenerator<LedgerRecord<BatchRecord>> {
  for await (const { value, version } of ledger.list(BATCH_RECORDS)) {
    yield { value: batchRecordSchema.parse(JSON.parse(value)), version };
  }
}

export function readBatchRecord(
  submission: string,
  ledger: Ledger,
): Promise<LedgerRecord<BatchRecord> | undefined> {
  return readRecord(ledger, recordKey(submission), batchRecordSchema);
}

/** Writes a record that still has this version (0: there is none); undefined where somebody else was faster. */
export async function putBatchRecord(
  record: BatchRecord,
  { ledger, version }: { readonly ledger: Ledger; readonly version: number },
): Promise<LedgerRecord<BatchRecord> | undefined> {
  const put = await ledger.put(recordKey(record.submission), JSON.stringify(record), version);
  return put === "stored" ? { value: record, version: version + 1 } : undefined;
}

/** The record first, then the list: a list without a record belongs to nobody. */
export async function closeBatch(
  { value, version }: LedgerRecord<BatchRecord>,
  { ledger, store }: { readonly ledger: Ledger; readonly store: ObjectStore },
): Promise<boolean> {
  const { submission } = value;
  if ((await ledger.remove(recordKey(submission), version)) === "conflict") return false;
  await store.remove(judgeBatchKey(submission));
  return true;
}

export async function putManifest(manifest: BatchManifest, store: ObjectStore): Promise<void> {
  await store.put(judgeBatchKey(manifest.submission), Buffer.from(JSON.stringify(manifest)));
}

/** undefined: it was closed meanwhile. @throws DamagedObjectError */
export function readManifest(submission: string, store: ObjectStore): Promise<BatchManifest | undefined> {
  return readStored(judgeBatchKey(submission), batchManifestSchema, store);
}

/** Names what is between a judge and a trajectory in a set. */
export function pairName({ id, judge }: { readonly id: string; readonly judge: string }): string {
  return `${judge} ${id}`;
}

/** Trajectories that a batch asks about at this moment, by `pairName`. */
export async function askedInBatches(ports: {
  readonly ledger: Ledger;
  readonly store: ObjectStore;
}): Promise<ReadonlySet<string>> {
  const asked = new Set<string>();
  for await (const { value } of batchRecords(ports.ledger)) {
    if (value.phase === "draft") continue;
    const manifest = await readManifest(value.submission, ports.store);
    for (const each of manifest?.trajectories ?? []) asked.add(pairName(each));
  }
  return asked;
}
