import { type MessageQueue, QueueSendError } from "../../ports/queue.ts";

interface Waiting {
  readonly bodies: readonly string[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers what is sent in one turn of the event loop and hands it on together, so that many callers with one message
 * each cost as few requests as one caller with many. A caller's promise resolves when its own bodies are in.
 */
export class BufferedQueue implements MessageQueue {
  readonly #queue: MessageQueue;
  #waiting: Waiting[] = [];

  constructor(queue: MessageQueue) {
    this.#queue = queue;
  }

  send(bodies: readonly string[]): Promise<void> {
    if (bodies.length === 0) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#waiting.length === 0) setImmediate(() => void this.#flush());
    this.#waiting.push({ bodies, resolve, reject });
    return promise;
  }

  async #flush(): Promise<void> {
    const callers = this.#waiting;
    this.#waiting = [];
    try {
      await this.#queue.send(callers.flatMap(({ bodies }) => bodies));
      for (const { resolve } of callers) resolve();
    } catch (error) {
      settle(callers, error);
    }
  }
}

/** Of equal bodies it does not matter whose are missing, only how many. */
function settle(callers: readonly Waiting[], error: unknown): void {
  if (!(error instanceof QueueSendError)) {
    for (const { reject } of callers) reject(error);
    return;
  }
  const missing = new Map<string, number>();
  for (const body of error.unsent) missing.set(body, (missing.get(body) ?? 0) + 1);
  for (const { bodies, resolve, reject } of callers) {
    const own = bodies.filter((body) => {
      const count = missing.get(body) ?? 0;
      if (count > 0) missing.set(body, count - 1);
      return count > 0;
    });
    if (own.length === 0) resolve();
    else reject(new QueueSendError(error.queue, own, { cause: error.cause }));
  }
}
