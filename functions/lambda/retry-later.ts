import { ChangeMessageVisibilityCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";

/** Seconds until the first retry; each further one takes four times as long. */
const FIRST_SECONDS = 10;
const MOST_SECONDS = 900;

/** Seconds until a message that was received so often is tried again, with ±25 % jitter; `random` is in [0, 1). */
export function retryDelay(received: number, random: number): number {
  const seconds = Math.min(MOST_SECONDS, FIRST_SECONDS * 4 ** Math.max(0, received - 1));
  return Math.round(seconds * (0.75 + random / 2));
}

/**
 * Lets a failed message come back after a short while instead of its whole visibility time-out, which is made for the
 * longest run of the function; after the last try at once, since then it only goes to the dead-letter queue. Best
 * effort: where it fails, the time-out holds.
 */
export async function retryLater(
  record: SQSRecord,
  to: { readonly client: SQSClient; readonly queueUrl: string; readonly maxReceives: number },
): Promise<void> {
  const received = Number(record.attributes.ApproximateReceiveCount);
  const seconds = received >= to.maxReceives ? 0 : retryDelay(received, Math.random());
  await to.client.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: to.queueUrl,
      ReceiptHandle: record.receiptHandle,
      VisibilityTimeout: seconds,
    }),
  );
}
