import { describe, expect, it } from "vitest";
import { DATASET_PUBLISHED } from "../../shared/contracts/events.ts";
import { EventPublishError, type Events, type OutgoingEvent } from "../../shared/ports/events.ts";

export interface EventsUnderTest {
  readonly events: Events;
  /** Takes out what subscribers got, in any order, once `count` events have come. */
  receive(count: number): Promise<readonly OutgoingEvent[]>;
}

const made = (index: number, size = 0): OutgoingEvent => ({
  type: DATASET_PUBLISHED,
  detail: { index, nested: { text: "\u{1F600} \uFFFF \u0000 </script>" }, filler: "x".repeat(size) },
  resources: [`dataset/${index}`, "ä"],
});

const sorted = (events: readonly OutgoingEvent[]): readonly OutgoingEvent[] =>
  events.toSorted((a, b) => Number(a.detail["index"]) - Number(b.detail["index"]));

/** What every channel of events must do. Each test gets one of its own. */
export function eventsContract(name: string, start: () => Promise<EventsUnderTest>): void {
  describe(`${name} as events`, () => {
    it("tells subscribers what happened, with type, detail and resources", async () => {
      const { events, receive } = await start();
      const bare: OutgoingEvent = { type: "something.else", detail: { index: 1 } };
      await events.publish([made(0), bare]);
      expect(sorted(await receive(2))).toEqual([made(0), { ...bare, resources: [] }]);
    });

    it("publishes more than one request takes, by number and by size", async () => {
      const { events, receive } = await start();
      const many = Array.from({ length: 23 }, (_, index) => made(index));
      const large = [100, 150, 50, 200].map((kib, index) => made(100 + index, kib * 1024));
      await events.publish([...many, ...large]);
      expect(sorted(await receive(27))).toEqual([...many, ...large]);
    });

    it("refuses an event that is too large, and publishes the others", async () => {
      const { events, receive } = await start();
      const publishing = events.publish([made(0), made(1, 256 * 1024), made(2)]);
      await expect(publishing).rejects.toBeInstanceOf(EventPublishError);
      expect(sorted(await receive(2))).toEqual([made(0), made(2)]);
    });

    it("has nothing to do where nothing happened", async () => {
      const { events, receive } = await start();
      await events.publish([]);
      expect(await receive(0)).toEqual([]);
    });
  });
}
