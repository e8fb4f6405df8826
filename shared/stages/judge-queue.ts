import { judgeMessageSchema } from "../contracts/messages.ts";
import { type MessageQueue, QueueSendError } from "../ports/queue.ts";
import type { CollectReport } from "./judge/collect.ts";
import { handleJudgeMessages, type JudgeMessageOutcome } from "./judge/messages.ts";
import { type JudgePorts, JudgeStoppedError } from "./judge/ports.ts";
import type { JudgeReport } from "./judge/tally.ts";
import { addToBacklog, releaseBacklog } from "./judge-backlog.ts";

export interface JudgeQueuePorts extends JudgePorts {
  /** Names this run. */
  readonly holder: string;
  /** The judge's own queue, at once and after a while. */
  readonly queue: MessageQueue;
  readonly later: MessageQueue;
}

export interface JudgeQueueRun {
  /** Why each message failed, in their order; undefined: it is done. */
  readonly errors: readonly (Error | undefined)[];
  readonly submitted: JudgeReport | null;
  readonly collected: CollectReport | null;
  /** Messages that were sent anew, because another process was at it or time ran out. */
  readonly again: number;
  /** Trajectories that wait for money from now on, and those that do so no longer. */
  readonly postponed: number;
  readonly released: number;
}

/** A message of the judge's queue says nothing that the judge understands. */
export class JudgeMessageError extends Error {
  override readonly name = "JudgeMessageError";
}

/**
 * Handles messages of the judge's queue together, and sees to those that have to wait: only what needs somebody's help
 * fails, since a message that fails too often is given up on.
 */
export async function handleJudgeQueue(
  bodies: readonly string[],
  ports: JudgeQueuePorts,
): Promise<JudgeQueueRun> {
  const { ledger, clock, queue, settings } = ports;
  const { outcomes, submitted, collected } = await handleJudgeMessages(bodies, ports);
  const fault = submitted?.fault ?? collected?.fault ?? null;
  const canRelease = collected !== null && collected.stoppedBy === null;
  const released = canRelease ? await releaseBacklog(settings.config, { ledger, clock, queue }) : 0;
  const waiting = bodies.filter((_, index) => becauseOf(outcomes[index]) === "budget");
  await addToBacklog([...new Set(waiting.flatMap(idOf))], ledger);
  const again = bodies.filter((_, index) => isAgain(outcomes[index]));
  const unsent = await unsentOf(again, ports.later);
  const errors = bodies.map((body, index) => {
    const outcome = outcomes[index];
    if (outcome?.kind === "invalid") return new JudgeMessageError(outcome.reason);
    if (becauseOf(outcome) === "fault") return new JudgeStoppedError(fault ?? "the judge cannot go on");
    return isAgain(outcome) ? unsent.get(body) : undefined;
  });
  return { errors, submitted, collected, again: again.length, postponed: waiting.length, released };
}

function becauseOf(outcome: JudgeMessageOutcome | undefined): string | null {
  return outcome?.kind === "later" ? outcome.because : null;
}

function isAgain(outcome: JudgeMessageOutcome | undefined): boolean {
  const because = becauseOf(outcome);
  return because === "busy" || because === "time";
}

function idOf(body: string): readonly string[] {
  const message = judgeMessageSchema.parse(JSON.parse(body));
  return message.kind === "submit" ? [message.id] : [];
}

/** Bodies that the queue did not take: their messages are given back instead. */
async function unsentOf(bodies: readonly string[], queue: MessageQueue): Promise<ReadonlyMap<string, Error>> {
  try {
    if (bodies.length > 0) await queue.send(bodies);
    return new Map();
  } catch (error) {
    if (!(error instanceof QueueSendError)) throw error;
    return new Map(error.unsent.map((body) => [body, error]));
  }
}
