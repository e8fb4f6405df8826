import type { DeadLetter, DeadLetters } from "../../shared/ports/dead-letters.ts";
import { type MessageQueue, QueueSendError } from "../../shared/ports/queue.ts";

const MOST_BYTES = 256 * 1024;

/** A queue in memory: takes what `accepts` lets through, by default what SQS takes. */
export class MemoryQueue implements MessageQueue {
  /** All bodies that were taken, in the order they were sent. */
  readonly bodies: string[] = [];
  readonly #accepts: (body: string) => boolean;
  readonly #onSend: () => void;
  #waiting: string[] = [];

  constructor(options: { readonly accepts?: (body: string) => boolean; readonly onSend?: () => void } = {}) {
    this.#accepts = options.accepts ?? ((body) => Buffer.byteLength(body) <= MOST_BYTES);
    this.#onSend = options.onSend ?? (() => undefined);
  }

  async send(bodies: readonly string[]): Promise<void> {
    this.#onSend();
    const taken = bodies.filter(this.#accepts);
    this.bodies.push(...taken);
    this.#waiting.push(...taken);
    const unsent = bodies.filter((body) => !this.#accepts(body));
    if (unsent.length > 0) throw new QueueSendError("memory", unsent);
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

/** Dead letters in memory, which hide what is held, as a queue does. */
export class MemoryDeadLetters implements DeadLetters {
  readonly #letters = new Map<string, { readonly body: string; held: boolean }>();
  /** Ids whose removal fails. */
  readonly stuck = new Set<string>();
  #next = 0;

  constructor(bodies: readonly string[] = []) {
    for (const body of bodies) this.add(body);
  }

  add(body: string): void {
    this.#next += 1;
    this.#letters.set(`m${this.#next}`, { body, held: false });
  }

  /** Bodies that are there and not held. */
  get visible(): readonly string[] {
    return [...this.#letters.values()].filter(({ held }) => !held).map(({ body }) => body);
  }

  get all(): readonly string[] {
    return [...this.#letters.values()].map(({ body }) => body);
  }

  async count(): Promise<number> {
    return this.visible.length;
  }

  async receive(most: number): Promise<readonly DeadLetter[]> {
    const taken = [...this.#letters].filter(([, { held }]) => !held).slice(0, most);
    for (const [, letter] of taken) letter.held = true;
    return taken.map(([id, { body }]) => ({ id, body, receipt: id }));
  }

  async remove(letters: readonly DeadLetter[]): Promise<readonly DeadLetter[]> {
    const stay = letters.filter(({ id }) => this.stuck.has(id));
    for (const { id } of letters) if (!this.stuck.has(id)) this.#letters.delete(id);
    return stay;
  }

  async release(letters: readonly DeadLetter[]): Promise<void> {
    for (const { id } of letters) {
      const letter = this.#letters.get(id);
      if (letter !== undefined) letter.held = false;
    }
  }
}
