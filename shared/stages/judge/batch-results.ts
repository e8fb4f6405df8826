import type { BatchResult, ChatBatches, TokenUsage } from "../../ports/chat-model.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import { noteOutcome, type Outcome } from "./answer-cache.ts";
import { type BatchManifest, requestId, requestNumber } from "./batch-records.ts";
import { LostBatchError } from "./ports.ts";
import type { Budget } from "./spend.ts";

/** An answer of a batch, whether it was kept or not: all are paid for. */
export interface PaidCall {
  readonly usage: TokenUsage;
  readonly usd: number | null;
}

/** Results that are written side by side. */
const SIDE_BY_SIDE = 32;

/**
 * Puts all results of a batch into the cache; those that are there already stay as they are. What only trajectories
 * asked about that are forgotten or changed by now is not kept. A request without a result counts as failed.
 * undefined: time ran out. @throws LostBatchError
 */
export async function keepResults(
  of: {
    readonly submission: string;
    readonly batch: string;
    readonly manifest: BatchManifest;
    /** By the position of the trajectory: whether it is still what was asked about. */
    readonly current: readonly boolean[];
  },
  ports: {
    readonly batches: ChatBatches;
    readonly store: ObjectStore;
    readonly budget: Budget;
    readonly outOfTime: () => boolean;
  },
): Promise<readonly PaidCall[] | undefined> {
  const { submission, manifest, current } = of;
  const calls: PaidCall[] = [];
  const taken = new Set<number>();
  let group: Promise<unknown>[] = [];
  const settle = async (): Promise<void> => {
    const settled = await Promise.allSettled(group);
    group = [];
    for (const each of settled) if (each.status === "rejected") throw each.reason;
  };
  const take = (n: number, result: BatchResult | undefined): void => {
    const asked = manifest.requests[n];
    if (asked === undefined || taken.has(n)) return;
    taken.add(n);
    if (result?.kind === "answer") {
      const { usage } = result.answer;
      calls.push({ usage, usd: ports.budget.costOf(usage, true) });
    }
    const payer = asked.of.find((position) => current[position] === true);
    const trajectory = payer === undefined ? undefined : manifest.trajectories[payer];
    if (trajectory === undefined) return;
    const noted = {
      hash: asked.hash,
      source: requestId(submission, n),
      batch: true,
      outcome: outcomeOf(result),
      paidFor: { trajectory: trajectory.id, judge: trajectory.judge },
    };
    group.push(noteOutcome(noted, ports.store));
  };
  let foreign = 0;
  for await (const result of ports.batches.results(of.batch)) {
    const n = requestNumber(submission, result.id);
    if (n === undefined) foreign += 1;
    else take(n, result);
    if (group.length < SIDE_BY_SIDE) continue;
    await settle();
    if (ports.outOfTime()) return undefined;
  }
  if (taken.size === 0 && foreign > 0) throw new LostBatchError(of, "it holds other requests than were sent");
  for (const n of manifest.requests.keys()) take(n, undefined);
  await settle();
  return calls;
}

function outcomeOf(result: BatchResult | undefined): Outcome {
  if (result === undefined) return { kind: "failed", reason: "no result in the batch", permanent: false };
  if (result.kind === "answer") return { kind: "answer", answer: result.answer };
  const { permanent } = result;
  const reason = permanent ? "the provider refused the request" : "the batch gave no answer";
  return { kind: "failed", reason, permanent };
}
