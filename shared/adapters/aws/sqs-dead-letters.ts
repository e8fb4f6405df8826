import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { DeadLetter, DeadLetters } from "../../ports/dead-letters.ts";

/** So long a message that was taken hold of stays hidden from others: ample for sending and removing ten. */
const HELD_SECONDS = 120;
/** Long polling asks all of the queue's servers; short polling may find nothing where there is something. */
const WAIT_SECONDS = 2;
/** Tries to remove a message that was moved. */
const TRIES = 3;
const AT_ONCE = 10;

/** A dead-letter queue of SQS. */
export class SqsDeadLetters implements DeadLetters {
  readonly #client: SQSClient;
  readonly #url: string;

  constructor(options: { readonly client: SQSClient; readonly url: string }) {
    this.#client = options.client;
    this.#url = options.url;
  }

  async count(): Promise<number> {
    const command = new GetQueueAttributesCommand({
      QueueUrl: this.#url,
      AttributeNames: ["ApproximateNumberOfMessages"],
    });
    const { Attributes } = await this.#client.send(command);
    return Number(Attributes?.["ApproximateNumberOfMessages"] ?? 0);
  }

  async receive(most: number): Promise<readonly DeadLetter[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: this.#url,
      MaxNumberOfMessages: Math.min(most, AT_ONCE),
      VisibilityTimeout: HELD_SECONDS,
      WaitTimeSeconds: WAIT_SECONDS,
    });
    const { Messages = [] } = await this.#client.send(command);
    return Messages.map(({ MessageId = "", Body = "", ReceiptHandle = "" }) => ({
      id: MessageId,
      body: Body,
      receipt: ReceiptHandle,
    }));
  }

  async remove(letters: readonly DeadLetter[]): Promise<readonly DeadLetter[]> {
    let left = letters;
    for (let attempt = 0; attempt < TRIES && left.length > 0; attempt += 1) {
      const command = new DeleteMessageBatchCommand({ QueueUrl: this.#url, Entries: entriesOf(left) });
      const { Failed = [] } = await this.#client.send(command);
      const failed = new Set(Failed.map(({ Id }) => Number(Id)));
      left = left.filter((_, index) => failed.has(index));
    }
    return left;
  }

  async release(letters: readonly DeadLetter[]): Promise<void> {
    for (let start = 0; start < letters.length; start += AT_ONCE) {
      const Entries = entriesOf(letters.slice(start, start + AT_ONCE)).map((entry) => ({
        ...entry,
        VisibilityTimeout: 0,
      }));
      // What is not let go becomes visible by itself a little later.
      await this.#client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: this.#url, Entries }));
    }
  }
}

function entriesOf(letters: readonly DeadLetter[]) {
  return letters.map(({ receipt }, index) => ({ Id: String(index), ReceiptHandle: receipt }));
}
