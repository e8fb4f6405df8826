import type { Context, SQSBatchResponse, SQSEvent } from "aws-lambda";
import {
  giveBack,
  messageOf,
  NoTimeLeftError,
  type QueueMessage,
  type QueueOptions,
  type QueueRun,
  queueRun,
} from "./queue-run.ts";
import { publishCounts } from "./telemetry.ts";

export interface GroupRun extends QueueRun {
  readonly messages: readonly QueueMessage[];
}

export interface GroupHandlerOptions extends QueueOptions {
  /** Gives for each message, in their order, why it failed; undefined: it is done. Thrown errors fail all of them. */
  readonly handle: (run: GroupRun) => Promise<readonly unknown[]>;
}

/** The handler gave answers to more or fewer messages than there are. */
class UnansweredError extends Error {
  override readonly name = "UnansweredError";
}

/** A handler of queue messages that are worth doing together; each of them fails for itself all the same. */
export function groupHandler(
  options: GroupHandlerOptions,
): (event: SQSEvent, context: Context) => Promise<SQSBatchResponse> {
  return async ({ Records: records }, context) => {
    const run = queueRun(context, options);
    const messages = records.map((record) => messageOf(record, options));
    try {
      const errors = await answersOf(options, { ...run, messages });
      const failed = records.flatMap((record, index) =>
        errors[index] === undefined ? [] : [{ record, error: errors[index] }],
      );
      await giveBack(failed, options);
      return { batchItemFailures: failed.map(({ record }) => ({ itemIdentifier: record.messageId })) };
    } finally {
      publishCounts();
    }
  };
}

async function answersOf({ handle }: GroupHandlerOptions, run: GroupRun): Promise<readonly unknown[]> {
  const { messages } = run;
  const all = (error: unknown): readonly unknown[] => messages.map(() => error);
  try {
    if (run.outOfTime()) return all(new NoTimeLeftError());
    const answers = await handle(run);
    if (answers.length === messages.length) return answers;
    throw new UnansweredError(`${answers.length} answers to ${messages.length} messages`);
  } catch (error) {
    return all(error ?? new UnansweredError("the handler failed without an error"));
  }
}
