import { judgementPrefix } from "../contracts/keys.ts";
import type { JudgeQueueMessage } from "../contracts/messages.ts";
import type { Gate } from "../judge/config.ts";
import { worthJudging } from "../judge/gate.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { MessageQueue } from "../ports/queue.ts";
import { readJudgeState } from "./judge/judge-state.ts";
import type { Scored } from "./score.ts";

/** How trajectories come to the judge, where the settings have one. */
export interface AskJudge {
  readonly gate: Gate;
  readonly queue: MessageQueue;
}

/**
 * Sends a trajectory that was just scored to the judge, if it is worth its price. Scored again (its message came twice,
 * or its document has changed), it is sent again unless a judgement of this revision stands or its questions are away.
 */
export async function askJudge(
  id: string,
  scored: Scored,
  { store, judge }: { readonly store: ObjectStore; readonly judge: AskJudge },
): Promise<boolean> {
  const { set, computed, isJudged } = scored;
  if ((set !== "first" && set !== "again") || isJudged) return false;
  if (!worthJudging({ id, reward: computed.row.reward }, judge.gate).judge) return false;
  // Before its first score nobody asked.
  if (set === "again" && (await isAsked(id, store))) return false;
  const message: JudgeQueueMessage = { schema: "gymline.judge.v1", kind: "submit", id };
  await judge.queue.send([JSON.stringify(message)]);
  return true;
}

const STATE = ".state.json";

/** Its questions were noted as asked, and no judgement counts as done yet. */
async function isAsked(id: string, store: ObjectStore): Promise<boolean> {
  const prefix = judgementPrefix(id);
  for await (const { key } of store.list(prefix)) {
    if (!key.endsWith(STATE)) continue;
    const state = await readJudgeState({ id, judge: key.slice(prefix.length, -STATE.length) }, store);
    if (state !== undefined && state.done === null) return true;
  }
  return false;
}
