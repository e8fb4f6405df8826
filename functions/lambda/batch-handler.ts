import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import type { Logger } from "@aws-lambda-powertools/logger";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { retryLater } from "./retry-later.ts";
import { logger, publishCounts } from "./telemetry.ts";

/** Below this many milliseconds left (a quarter, of a short time-out), a function takes no further message. */
const RESERVE_MS = 15_000;

export interface MessageRun {
  readonly body: string;
  /** The message goes to the dead-letter queue if this try fails. */
  readonly lastTry: boolean;
  readonly outOfTime: () => boolean;
  readonly requestId: string;
  readonly log: Logger;
}

export interface BatchHandlerOptions {
  readonly maxReceives: number;
  /** Messages handled at a time. */
  readonly sideBySide: number;
  readonly queueUrl: string;
  readonly sqs: () => Promise<SQSClient>;
  readonly handle: (run: MessageRun) => Promise<void>;
}

/** The function's time is nearly up: the message was not looked at and comes again. */
class NoTimeLeftError extends Error {
  override readonly name = "NoTimeLeftError";
}

/** A handler of queue messages that fail one by one: what fails goes back to the queue alone, the others are done. */
export function batchHandler(
  options: BatchHandlerOptions,
): (event: SQSEvent, context: Context) => Promise<SQSBatchResponse> {
  const processor = new BatchProcessor(EventType.SQS);
  return async (event, context) => {
    logger.addContext(context);
    const reserve = Math.min(RESERVE_MS, context.getRemainingTimeInMillis() / 4);
    const outOfTime = (): boolean => context.getRemainingTimeInMillis() < reserve;
    const turns = new Turns(options.sideBySide);
    const one = (record: SQSRecord): Promise<void> =>
      turns.take(() => handleOne(record, { options, outOfTime, requestId: context.awsRequestId }));
    try {
      return await processPartialResponse(event, one, processor, {
        context,
        throwOnFullBatchFailure: false,
      });
    } finally {
      publishCounts();
    }
  };
}

async function handleOne(
  record: SQSRecord,
  run: {
    readonly options: BatchHandlerOptions;
    readonly outOfTime: () => boolean;
    readonly requestId: string;
  },
): Promise<void> {
  const { options, outOfTime, requestId } = run;
  const log = logger.createChild({ persistentKeys: { message_id: record.messageId } });
  const received = Number(record.attributes.ApproximateReceiveCount);
  try {
    if (outOfTime()) throw new NoTimeLeftError("there was no time left for the message");
    const lastTry = received >= options.maxReceives;
    await options.handle({ body: record.body, lastTry, outOfTime, requestId, log });
  } catch (error) {
    log.error("the message failed", { received, error: asError(error) });
    try {
      const { queueUrl, maxReceives } = options;
      await retryLater(record, { client: await options.sqs(), queueUrl, maxReceives });
    } catch (reason) {
      log.warn("the message comes back only after its visibility time-out", { error: asError(reason) });
    }
    throw error;
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** Lets so many run at a time. */
class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
