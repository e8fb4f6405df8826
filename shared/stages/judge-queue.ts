import { judgeMessageSchema } from "../contracts/messages.ts";
import { type MessageQueue, QueueSendError } from "../ports/queue.ts";
import { abandonBatch } from "./judge/abandon.ts";
import { readManifest } from "./judge/batch-records.ts";
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
  /** Submissions whose answers the provider keeps no longer: their trajectories may be asked about anew. */
  readonly abandoned: readonly string[];
}

/** A message of the judge's queue says nothing that the judge understands. */
export class JudgeMessageError extends Error {
  override readonly name = "JudgeMessageError";
}

/** Providers keep the answers of a batch for 29 days. */
const LOST_MS = 29 * 24 * 60 * 60_000;

/**
 * Handles messages of the judge's queue together, and sees to those that have to wait: only what needs somebody's help
 * fails, since a message that fails too often is given up on. A look at batches never does: the next one comes anyway.
 */
export async function handleJudgeQueue(
  bodies: readonly string[],
  ports: JudgeQueuePorts,
): Promise<JudgeQueueRun> {
  const { ledger, clock, queue, settings } = ports;
  const { outcomes, submitted, collected, leftOver } = await handleJudgeMessages(bodies, ports);
  const canRelease = collected !== null && collected.stoppedBy === null;
  const released = canRelease ? await releaseBacklog(settings.config, { ledger, clock, queue }) : 0;
  const poor = bodies.flatMap((body, index) =>
    becauseOf(outcomes[index]) === "budget" ? submittedId(body) : [],
  );
  const postponed = [...new Set([...poor, ...leftOver])];
  await addToBacklog(postponed, ledger);
  const abandoned = await abandonLost(collected, ports);
  const again = bodies.filter((_, index) => isAgain(outcomes[index]));
  const unsent = await unsentOf(again, ports.later);
  const errors = bodies.map((body, index) => {
    const outcome = outcomes[index];
    if (outcome?.kind === "invalid") return new JudgeMessageError(outcome.reason);
    if (becauseOf(outcome) === "fault" && submittedId(body).length > 0) {
      return new JudgeStoppedError(submitted?.fault ?? "the judge cannot go on");
    }
    return isAgain(outcome) ? unsent.get(body) : undefined;
  });
  return {
    ...{ errors, submitted, collected, released, abandoned },
    ...{ again: again.length, postponed: postponed.length },
  };
}

/** Gives up what can no longer be had; its trajectories are asked about anew. */
async function abandonLost(
  collected: CollectReport | null,
  ports: Pick<JudgePorts, "ledger" | "store" | "clock">,
): Promise<readonly string[]> {
  const abandoned: string[] = [];
  for (const { submission, at } of collected?.open ?? []) {
    if (ports.clock.now() - at < LOST_MS) continue;
    const { trajectories = [] } = (await readManifest(submission, ports.store)) ?? {};
    await addToBacklog(
      trajectories.map(({ id }) => id),
      ports.ledger,
    );
    if ((await abandonBatch(submission, ports)) !== undefined) abandoned.push(submission);
  }
  return abandoned;
}

function becauseOf(outcome: JudgeMessageOutcome | undefined): string | null {
  return outcome?.kind === "later" ? outcome.because : null;
}

function isAgain(outcome: JudgeMessageOutcome | undefined): boolean {
  const because = becauseOf(outcome);
  return because === "busy" || because === "time";
}

/** The id of a `submit`; nothing of any other message. */
function submittedId(body: string): readonly string[] {
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
