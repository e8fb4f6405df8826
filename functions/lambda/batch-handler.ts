import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import type { Logger } from "@aws-lambda-powertools/logger";
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { logger, publishCounts } from "./telemetry.ts";

/** Below this many milliseconds left, a function takes no further message. */
const RESERVE_MS = 15_000;

export interface MessageRun {
  readonly body: string;
  /** The message goes to the dead-letter queue if this try fails. */
  readonly lastTry: boolean;
  readonly outOfTime: () => boolean;
  readonly requestId: string;
  readonly log: Logger;
}

/** The function's time is nearly up: the message was not looked at and comes again. */
class NoTimeLeftError extends Error {
  override readonly name = "NoTimeLeftError";
}

/**
 * A handler of queue messages that fail one by one: what fails goes back to the queue alone, the others are done.
 * `sideBySide` messages are handled at a time.
 */
export function batchHandler(options: {
  readonly maxReceives: number;
  readonly sideBySide: number;
  readonly handle: (run: MessageRun) => Promise<void>;
}): (event: SQSEvent, context: Context) => Promise<SQSBatchResponse> {
  const { maxReceives, sideBySide, handle } = options;
  const processor = new BatchProcessor(EventType.SQS);
  return async (event, context) => {
    logger.addContext(context);
    const outOfTime = (): boolean => context.getRemainingTimeInMillis() < RESERVE_MS;
    const turns = new Turns(sideBySide);
    const one = (record: SQSRecord): Promise<void> =>
      turns.take(async () => {
        const log = logger.createChild({ persistentKeys: { message_id: record.messageId } });
        if (outOfTime()) throw new NoTimeLeftError("there was no time left for the message");
        const received = Number(record.attributes.ApproximateReceiveCount);
        try {
          await handle({
            body: record.body,
            lastTry: received >= maxReceives,
            outOfTime,
            requestId: context.awsRequestId,
            log,
          });
        } catch (error) {
          log.error("the message failed", { received, error: error as Error });
          throw error;
        }
      });
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
