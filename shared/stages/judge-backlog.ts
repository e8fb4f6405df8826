import type { JudgeQueueMessage } from "../contracts/messages.ts";
import type { JudgeConfig } from "../judge/config.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { MessageQueue } from "../ports/queue.ts";
import { dayOf, spentOn } from "./judge/spend.ts";

/** Trajectories that the day's money did not reach for: a ledger record each, so that no message waits for days. */
export const JUDGE_BACKLOG = "judge/backlog/";

const RECORD = JSON.stringify({ schema: "gymline.judge-backlog.v1" });
const SIDE_BY_SIDE = 32;
/** Goes back into the queue at a time: one batch of messages. */
const MOST_RELEASED = 1000;
/** Where less than this share of the day's money is free, nothing goes back. */
const LEAST_FREE = 0.1;

/** Notes trajectories for later. Noted twice, they wait once. */
export async function addToBacklog(ids: readonly string[], ledger: Ledger): Promise<void> {
  for (let start = 0; start < ids.length; start += SIDE_BY_SIDE) {
    const group = ids.slice(start, start + SIDE_BY_SIDE);
    await Promise.all(group.map((id) => ledger.put(JUDGE_BACKLOG + id, RECORD, 0)));
  }
}

/**
 * Sends some of those that wait back into the judge's queue, where there is money again: a new day has begun, or a batch
 * cost less than it might have. Sent first and taken off the list then: stopped in between, some come twice.
 */
export async function releaseBacklog(
  { budgets }: Pick<JudgeConfig, "budgets">,
  { ledger, clock, queue }: { readonly ledger: Ledger; readonly clock: Clock; readonly queue: MessageQueue },
): Promise<number> {
  const { usdPerDay } = budgets;
  if (usdPerDay !== null) {
    const { usd, reserved } = await spentOn(dayOf(clock), ledger);
    if (usdPerDay - usd - reserved < usdPerDay * LEAST_FREE) return 0;
  }
  const waiting: { readonly key: string; readonly version: number }[] = [];
  for await (const { key, version } of ledger.list(JUDGE_BACKLOG)) {
    waiting.push({ key, version });
    if (waiting.length >= MOST_RELEASED) break;
  }
  if (waiting.length === 0) return 0;
  const bodies = waiting.map(({ key }) => {
    const id = key.slice(JUDGE_BACKLOG.length);
    return JSON.stringify({ schema: "gymline.judge.v1", kind: "submit", id } satisfies JudgeQueueMessage);
  });
  await queue.send(bodies);
  for (let start = 0; start < waiting.length; start += SIDE_BY_SIDE) {
    const group = waiting.slice(start, start + SIDE_BY_SIDE);
    await Promise.all(group.map(({ key, version }) => ledger.remove(key, version)));
  }
  return waiting.length;
}
