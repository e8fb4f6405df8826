import { type MessageQueue, QueueSendError } from "../../shared/ports/queue.ts";

const MOST_BYTES = 256 * 1024;

/** A queue in memory, with a log of all that was ever sent. */
export class MemoryQueue implements MessageQueue {
  /** All bodies in the order they were sent. */
  readonly sent: string[] = [];
  #waiting: string[] = [];

  async send(bodies: readonly string[]): Promise<void> {
    const fits = (body: string): boolean => Buffer.byteLength(body) <= MOST_BYTES;
    const taken = bodies.filter(fits);
    this.sent.push(...taken);
    this.#waiting.push(...taken);
    const unsent = bodies.filter((body) => !fits(body));
    if (unsent.length > 0) throw new QueueSendError("in memory", unsent);
  }

  /** Takes out what is waiting. */
  take(): readonly string[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  /**
   * Hands out messages one by one, those that come meanwhile too, until none is left. One whose handler fails comes
   * back later, as in a real queue.
   * @throws the last error of a message that failed `receives` times, as a dead letter would hold it
   */
  async deliver(handler: (body: string) => Promise<void>, receives = 1): Promise<void> {
    const failed = new Map<string, number>();
    for (let body = this.#waiting.shift(); body !== undefined; body = this.#waiting.shift()) {
      try {
        await handler(body);
      } catch (error) {
        const failures = (failed.get(body) ?? 0) + 1;
        if (failures >= receives) throw error;
        failed.set(body, failures);
        this.#waiting.push(body);
      }
    }
  }
}
