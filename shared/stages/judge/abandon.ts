import { type BatchRecord, closeBatch, readBatchRecord } from "./batch-records.ts";
import type { JudgePorts } from "./ports.ts";

/**
 * Gives a batch up whose answers cannot be had any more: its trajectories may be asked about anew. What it may have
 * cost stays reserved, and so counts in full. undefined: there is no such batch.
 */
export async function abandonBatch(
  submission: string,
  { ledger, store }: Pick<JudgePorts, "ledger" | "store">,
): Promise<BatchRecord | undefined> {
  const found = /^[a-z0-9]{8,32}$/.test(submission) ? await readBatchRecord(submission, ledger) : undefined;
  if (found === undefined || !(await closeBatch(found, { ledger, store }))) return undefined;
  return found.value;
}
