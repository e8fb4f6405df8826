/** Events could not be published after all tries. */
export class EventPublishError extends Error {
  override readonly name = "EventPublishError";
}

export interface OutgoingEvent {
  /** What happened, such as `dataset.published` (`shared/contracts/events.ts`). */
  readonly type: string;
  readonly detail: Readonly<Record<string, unknown>>;
  /** Ids of what it is about. */
  readonly resources?: readonly string[];
}

/** Tells the world what happened; subscribers must take the same event twice. */
export interface Events {
  /** Resolves when all are accepted; what is refused is tried again. @throws EventPublishError */
  publish(events: readonly OutgoingEvent[]): Promise<void>;
}
