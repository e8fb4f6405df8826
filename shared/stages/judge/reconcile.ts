import type { ChatBatches } from "../../ports/chat-model.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ledger } from "../../ports/ledger.ts";
import type { LedgerRecord } from "../ledger-record.ts";
import { type BatchRecord, batchRecords, putBatchRecord, requestNumber } from "./batch-records.ts";

/** So long a process may still be at sending a batch, or the provider at listing it. */
export const RESEND_AFTER_MS = 30 * 60_000;
/** By so much the provider's clock may be behind. */
const SKEW_MS = 10 * 60_000;

/**
 * Finds out what became of a batch of which only the intention is known, because the process was stopped, or the
 * connection broke, before the provider's answer was written down. Batches of the provider that nobody knows, made
 * since and with as many requests, are candidates; whether one is ours shows in its results, so one that has not ended
 * is waited for. Where none can be ours after 30 minutes, `resend` is called. undefined: nothing to take in yet.
 */
export async function adoptBatch(
  intended: LedgerRecord<BatchRecord>,
  {
    batches,
    ledger,
    clock,
    resend,
  }: {
    readonly batches: ChatBatches;
    readonly ledger: Ledger;
    readonly clock: Clock;
    readonly resend: () => Promise<void>;
  },
): Promise<LedgerRecord<BatchRecord> | undefined> {
  const { submission, requests, at } = intended.value;
  const known = new Set<string>();
  for await (const { value } of batchRecords(ledger)) if (value.batch !== null) known.add(value.batch);
  let mayBeOurs = false;
  for await (const { id, ended, createdAt, counts } of batches.list()) {
    if (createdAt < at - SKEW_MS) break;
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    if (known.has(id) || total > requests) continue;
    if (!ended) mayBeOurs = true;
    else if (await carries(submission, id, batches)) {
      const { value, version } = intended;
      return putBatchRecord(
        { ...value, phase: "submitted", batch: id, at: clock.now() },
        { ledger, version },
      );
    }
  }
  if (!mayBeOurs && clock.now() - at >= RESEND_AFTER_MS) await resend();
  return undefined;
}

/** Every request of a batch carries the name of its submission, so one result is enough. */
async function carries(submission: string, batch: string, batches: ChatBatches): Promise<boolean> {
  for await (const { id } of batches.results(batch)) return requestNumber(submission, id) !== undefined;
  return false;
}
