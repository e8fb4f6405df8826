import type { Logger } from "@aws-lambda-powertools/logger";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { Context, SQSRecord } from "aws-lambda";
import { retryLater } from "./retry-later.ts";
import { logger } from "./telemetry.ts";

/** Below this many milliseconds left (a quarter, of a short time-out), a function begins nothing further. */
const RESERVE_MS = 15_000;

/** The queue of a function, which is told when to give failed messages again. */
export interface QueueOptions {
  readonly maxReceives: number;
  readonly queueUrl: string;
  readonly sqs: () => Promise<SQSClient>;
  /** Keeps so many milliseconds of the function's time for what is under way; default 15 seconds. */
  readonly reserveMs?: number;
}

export interface QueueMessage {
  readonly body: string;
  /** The message goes to the dead-letter queue if this try fails. */
  readonly lastTry: boolean;
}

/** One invocation of a function. */
export interface QueueRun {
  readonly outOfTime: () => boolean;
  /** Milliseconds until the function is stopped. */
  readonly remainingMs: () => number;
  readonly requestId: string;
  readonly log: Logger;
}

/** The function's time is nearly up: the message was not looked at and comes again. */
export class NoTimeLeftError extends Error {
  override readonly name = "NoTimeLeftError";
  constructor() {
    super("there was no time left for the message");
  }
}

/** Begins an invocation: its logs name it, and it knows when its time is nearly up. */
export function queueRun(
  context: Context,
  { reserveMs = RESERVE_MS }: Pick<QueueOptions, "reserveMs">,
): QueueRun {
  logger.addContext(context);
  const remainingMs = (): number => context.getRemainingTimeInMillis();
  const reserve = Math.min(reserveMs, remainingMs() / 4);
  return {
    outOfTime: () => remainingMs() < reserve,
    remainingMs,
    requestId: context.awsRequestId,
    log: logger,
  };
}

export function messageOf(
  { body, attributes }: SQSRecord,
  { maxReceives }: Pick<QueueOptions, "maxReceives">,
): QueueMessage {
  return { body, lastTry: Number(attributes.ApproximateReceiveCount) >= maxReceives };
}

/** Logs of one message name it. */
export function messageLog({ messageId }: SQSRecord): Logger {
  return logger.createChild({ persistentKeys: { message_id: messageId } });
}

/** Says why messages failed, and lets them come again after a short while. */
export async function giveBack(failed: readonly FailedMessage[], options: QueueOptions): Promise<void> {
  if (failed.length === 0) return;
  for (const [error, records] of Map.groupBy(failed, ({ error }) => error)) logFailure(error, records);
  try {
    const { queueUrl, maxReceives } = options;
    const records = failed.map(({ record }) => record);
    await retryLater(records, { client: await options.sqs(), queueUrl, maxReceives });
  } catch (reason) {
    logger.warn("failed messages come back only after their visibility time-out", { error: asError(reason) });
  }
}

export interface FailedMessage {
  readonly record: SQSRecord;
  readonly error: unknown;
}

/** Named in one line of the log at the most. */
const MOST_NAMED = 100;

/** Messages that failed together say so together. */
function logFailure(reason: unknown, failed: readonly FailedMessage[]): void {
  const error = asError(reason);
  const [first, ...others] = failed.map(({ record }) => record);
  if (first === undefined) return;
  const received = Number(first.attributes.ApproximateReceiveCount);
  if (others.length === 0) {
    messageLog(first).error("the message failed", { received, error });
    return;
  }
  const message_ids = [first, ...others].slice(0, MOST_NAMED).map(({ messageId }) => messageId);
  logger.error("messages failed", { failed: failed.length, message_ids, received, error });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
