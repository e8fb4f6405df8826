import {
  type BatchResultErrorEntry,
  SendMessageBatchCommand,
  type SendMessageBatchResult,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { type MessageQueue, QueueSendError } from "../../ports/queue.ts";
import { backOff, DEFAULT_TRIES, type Tries } from "./back-off.ts";
import { batchesOf, eachOf } from "./batches.ts";
import { isTransient } from "./service-fault.ts";

/** SQS takes 1 MiB by now, engines and older queues the 256 KiB of before: one body, or a batch of ten together. */
const LIMITS = { count: 10, bytes: 256 * 1024 };
/** Requests under way at a time. */
const PARALLEL = 4;

/** Why SQS did not take a body, however often it was tried. */
export class MessageRefusedError extends Error {
  override readonly name = "MessageRefusedError";
}

/** A queue of SQS. */
export class SqsQueue implements MessageQueue {
  readonly #client: SQSClient;
  readonly #url: string;
  readonly #tries: Tries;
  readonly #delay: { readonly DelaySeconds?: number };

  /** @param options.delaySeconds until what is sent can be received, 900 at the most */
  constructor(options: {
    readonly client: SQSClient;
    readonly url: string;
    readonly tries?: Tries;
    readonly delaySeconds?: number;
  }) {
    this.#client = options.client;
    this.#url = options.url;
    this.#tries = options.tries ?? DEFAULT_TRIES;
    this.#delay = options.delaySeconds === undefined ? {} : { DelaySeconds: options.delaySeconds };
  }

  async send(bodies: readonly string[]): Promise<void> {
    const unsent: string[] = [];
    let cause: unknown;
    const fail = (bodies: readonly string[], reason: unknown): void => {
      unsent.push(...bodies);
      cause ??= reason;
    };
    const fitting: Message[] = [];
    for (const body of bodies) {
      const text = allowed(body);
      const bytes = Buffer.byteLength(text);
      if (bytes <= LIMITS.bytes) fitting.push({ body, text, bytes });
      else fail([body], new MessageRefusedError(`a body has ${bytes} bytes; ${LIMITS.bytes} is the most`));
    }
    const batches = batchesOf(fitting, LIMITS, ({ bytes }) => bytes);
    await eachOf(batches, PARALLEL, (batch) => this.#deliver(batch, fail));
    if (unsent.length > 0) throw new QueueSendError(this.#url, unsent, { cause });
  }

  /** Sends a batch, then what was refused of it, until nothing is left or it was tried often enough. */
  async #deliver(
    batch: readonly Message[],
    fail: (bodies: readonly string[], reason: unknown) => void,
  ): Promise<void> {
    let left = batch;
    for (let failures = 1; left.length > 0; failures += 1) {
      const { again, refused, reason } = await this.#attempt(left);
      if (refused.length > 0) fail(bodiesOf(refused), reason);
      if (again.length > 0 && failures >= this.#tries.tries) {
        fail(bodiesOf(again), reason);
        return;
      }
      left = again;
      if (left.length > 0) await backOff(failures, this.#tries);
    }
  }

  async #attempt(batch: readonly Message[]): Promise<Attempt> {
    try {
      const command = new SendMessageBatchCommand({
        QueueUrl: this.#url,
        Entries: batch.map(({ text }, index) => ({ Id: String(index), MessageBody: text, ...this.#delay })),
      });
      return sorted(batch, await this.#client.send(command));
    } catch (reason) {
      // Whether a request that broke off got there is not known; a body that comes twice does no harm.
      return isTransient(reason)
        ? { again: batch, refused: [], reason }
        : { again: [], refused: batch, reason };
    }
  }
}

interface Message {
  readonly body: string;
  /** The same JSON, with nothing in it that SQS does not take. */
  readonly text: string;
  readonly bytes: number;
}

interface Attempt {
  readonly again: readonly Message[];
  /** Trying again is of no use. */
  readonly refused: readonly Message[];
  readonly reason: unknown;
}

function sorted(batch: readonly Message[], result: Partial<SendMessageBatchResult>): Attempt {
  const failed = new Map((result.Failed ?? []).map((entry) => [entry.Id, entry]));
  const sent = new Set((result.Successful ?? []).map(({ Id }) => Id));
  const again: Message[] = [];
  const refused: Message[] = [];
  for (const [index, message] of batch.entries()) {
    const entry = failed.get(String(index));
    if (entry?.SenderFault === true) refused.push(message);
    else if (entry !== undefined || !sent.has(String(index))) again.push(message);
  }
  const [first] = failed.values();
  return { again, refused, reason: first === undefined ? undefined : refusal(first) };
}

function refusal({ Code, Message }: BatchResultErrorEntry): MessageRefusedError {
  return new MessageRefusedError(`SQS refused a message: ${Code ?? "no code"} ${Message ?? ""}`.trimEnd());
}

function bodiesOf(messages: readonly Message[]): readonly string[] {
  return messages.map(({ body }) => body);
}

/** SQS refuses U+FFFE and U+FFFF, which a key may hold; in JSON they can be written with an escape. */
function allowed(json: string): string {
  return json.replace(/[\ufffe\uffff]/g, (found) => `\\u${found.charCodeAt(0).toString(16)}`);
}
