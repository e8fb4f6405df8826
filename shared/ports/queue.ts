/** Some messages could not be handed over after all tries; they must be sent again. */
export class QueueSendError extends Error {
  override readonly name = "QueueSendError";
  readonly queue: string;
  /** The bodies that are not in the queue. */
  readonly unsent: readonly string[];
  constructor(queue: string, unsent: readonly string[], options?: ErrorOptions) {
    super(`${unsent.length} messages could not be sent to the queue ${queue}`, options);
    this.queue = queue;
    this.unsent = unsent;
  }
}

/** Where messages for a stage go in. Delivery is at least once and in no order. */
export interface MessageQueue {
  /**
   * Sends bodies (JSON texts of at most 256 KiB each), as many at a time as the queue takes; what it refuses is tried
   * again. @throws QueueSendError
   */
  send(bodies: readonly string[]): Promise<void>;
}
