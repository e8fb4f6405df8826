import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type MessageQueue, QueueSendError } from "../../shared/ports/queue.ts";

export interface QueueUnderTest {
  readonly queue: MessageQueue;
  /** Takes out what is in the queue, in any order, once `count` bodies have come. */
  receive(count: number): Promise<readonly string[]>;
}

const KIB = 1024;

/** JSON texts of all sorts, also with characters that a queue cannot take as they are. */
const body = fc.jsonValue({ stringUnit: "binary" }).map((value) => JSON.stringify({ value }));

/** JSON may be written with other escapes on its way. */
const meaning = (bodies: readonly string[]): readonly string[] =>
  bodies.map((text) => JSON.stringify(JSON.parse(text))).sort();

/** What every queue must do. Each test gets an empty one. */
export function queueContract(name: string, start: () => Promise<QueueUnderTest>): void {
  describe(`${name} as a queue`, () => {
    it("delivers any JSON with its meaning unchanged", async () => {
      const { queue, receive } = await start();
      await fc.assert(
        fc.asyncProperty(fc.array(body, { maxLength: 25 }), async (bodies) => {
          await queue.send(bodies);
          expect(meaning(await receive(bodies.length))).toEqual(meaning(bodies));
        }),
        { numRuns: 20 },
      );
      await queue.send([JSON.stringify("\uFFFE\uFFFF\u007F\u0000")]);
      expect(meaning(await receive(1))).toEqual([JSON.stringify("\uFFFE\uFFFF\u007F\u0000")]);
    });

    it("delivers equal bodies as often as they are sent", async () => {
      const { queue, receive } = await start();
      await queue.send(Array.from({ length: 23 }, () => '"same"'));
      expect(await receive(23)).toEqual(Array.from({ length: 23 }, () => '"same"'));
    });

    it("takes bodies of up to 256 KiB, more than one request holds", async () => {
      const { queue, receive } = await start();
      const bodies = [100, 200, 256, 1, 1, 250, 6].map((kib) => `"${"x".repeat(kib * KIB - 2)}"`);
      await queue.send(bodies);
      expect(meaning(await receive(bodies.length))).toEqual(meaning(bodies));
    });

    it("names a body that is too large, counted in bytes, and delivers the others", async () => {
      const { queue, receive } = await start();
      const large = `"${"ä".repeat(128 * KIB)}"`;
      const error = await queue.send(['"a"', large, '"b"']).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(QueueSendError);
      expect(error).toMatchObject({ unsent: [large] });
      expect(meaning(await receive(2))).toEqual(['"a"', '"b"']);
    });

    it("has nothing to do where nothing is sent", async () => {
      const { queue, receive } = await start();
      await queue.send([]);
      expect(await receive(0)).toEqual([]);
    });
  });
}
