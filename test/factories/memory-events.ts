import { EventPublishError, type Events, type OutgoingEvent } from "../../shared/ports/events.ts";

const MOST_BYTES = 256 * 1024;

/** Events in memory, in the order they were published. */
export class MemoryEvents implements Events {
  readonly published: OutgoingEvent[] = [];

  async publish(events: readonly OutgoingEvent[]): Promise<void> {
    const fits = (event: OutgoingEvent): boolean => Buffer.byteLength(JSON.stringify(event)) <= MOST_BYTES;
    // As they come back from a bus: JSON, and resources where there were none.
    for (const { type, detail, resources } of events.filter(fits)) {
      const copy: OutgoingEvent["detail"] = structuredClone(detail);
      this.published.push({ type, detail: copy, resources: [...(resources ?? [])] });
    }
    const refused = events.filter((event) => !fits(event)).length;
    if (refused > 0) throw new EventPublishError(`${refused} events are too large`);
  }
}
