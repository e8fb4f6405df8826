import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import {
  giveBack,
  messageLog,
  messageOf,
  NoTimeLeftError,
  type QueueMessage,
  type QueueOptions,
  type QueueRun,
  queueRun,
} from "./queue-run.ts";
import { publishCounts } from "./telemetry.ts";

export type MessageRun = QueueMessage & QueueRun;

export interface BatchHandlerOptions extends QueueOptions {
  /** Messages handled at a time. */
  readonly sideBySide: number;
  readonly handle: (run: MessageRun) => Promise<void>;
}

/** A handler of queue messages that fail one by one: what fails goes back to the queue alone, the others are done. */
export function batchHandler(
  options: BatchHandlerOptions,
): (event: SQSEvent, context: Context) => Promise<SQSBatchResponse> {
  const processor = new BatchProcessor(EventType.SQS);
  return async (event, context) => {
    const run = queueRun(context, options);
    const turns = new Turns(options.sideBySide);
    const one = (record: SQSRecord): Promise<void> => turns.take(() => handleOne(record, { options, run }));
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
  { options, run }: { readonly options: BatchHandlerOptions; readonly run: QueueRun },
): Promise<void> {
  try {
    if (run.outOfTime()) throw new NoTimeLeftError();
    await options.handle({ ...run, ...messageOf(record, options), log: messageLog(record) });
  } catch (error) {
    await giveBack([{ record, error }], options);
    throw error;
  }
}

/** Lets so many run at a time. */
export class Turns {
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
