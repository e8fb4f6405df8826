import {
  ChangeMessageVisibilityBatchCommand,
  type ChangeMessageVisibilityBatchRequestEntry,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";

/** Seconds until the first retry; each further one takes four times as long. */
const FIRST_SECONDS = 10;
const MOST_SECONDS = 900;
/** Messages that one request takes. */
const MOST_AT_ONCE = 10;
const REQUESTS_SIDE_BY_SIDE = 8;

/** Seconds until a message that was received so often is tried again, with ±25 % jitter; `random` is in [0, 1). */
export function retryDelay(received: number, random: number): number {
  const seconds = Math.min(MOST_SECONDS, FIRST_SECONDS * 4 ** Math.max(0, received - 1));
  return Math.round(seconds * (0.75 + random / 2));
}

/**
 * Lets failed messages come back after a short while instead of their whole visibility time-out, which is made for the
 * longest run of the function; after the last try at once, since then they only go to the dead-letter queue. Best
 * effort: where it fails, the time-out holds.
 */
export async function retryLater(
  records: readonly SQSRecord[],
  to: { readonly client: SQSClient; readonly queueUrl: string; readonly maxReceives: number },
): Promise<void> {
  const { client, queueUrl: QueueUrl, maxReceives } = to;
  const entries = records.map(({ receiptHandle, attributes }, index) => {
    const received = Number(attributes.ApproximateReceiveCount);
    const seconds = received >= maxReceives ? 0 : retryDelay(received, Math.random());
    return { Id: String(index), ReceiptHandle: receiptHandle, VisibilityTimeout: seconds };
  });
  const groups: ChangeMessageVisibilityBatchRequestEntry[][] = [];
  while (entries.length > 0) groups.push(entries.splice(0, MOST_AT_ONCE));
  const work = async (): Promise<void> => {
    for (let Entries = groups.shift(); Entries !== undefined; Entries = groups.shift()) {
      await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_SIDE_BY_SIDE }, work));
}
