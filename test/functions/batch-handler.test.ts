import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BatchHandlerOptions, batchHandler } from "../../functions/lambda/batch-handler.ts";
import { retryDelay } from "../../functions/lambda/retry-later.ts";
import { contextOf, eventOf, notedQueue } from "./queue-events.ts";

async function handlerOf(options: Partial<BatchHandlerOptions> & Pick<BatchHandlerOptions, "handle">) {
  const { sqs, set } = await notedQueue();
  const handler = batchHandler({
    maxReceives: 4,
    sideBySide: 2,
    queueUrl: "http://127.0.0.1/q",
    sqs,
    ...options,
  });
  return { handler, set };
}

describe("a handler of queue messages", () => {
  it("gives back what failed and nothing else, to be tried again after a short while", async () => {
    const handled: string[] = [];
    const { handler, set } = await handlerOf({
      handle: async ({ body, lastTry }) => {
        expect(lastTry).toBe(false);
        if (body === "bad") throw new Error("no");
        handled.push(body);
      },
    });
    const answer = await handler(
      eventOf(["a", "bad", "b"]),
      contextOf(() => 60_000),
    );
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "bad" }] });
    expect(handled.sort()).toEqual(["a", "b"]);
    expect(set).toMatchObject([{ ReceiptHandle: "handle of bad" }]);
    expect(set[0]?.VisibilityTimeout).toBeGreaterThanOrEqual(7);
    expect(set[0]?.VisibilityTimeout).toBeLessThanOrEqual(13);
  });

  it("lets a message that failed for the last time go to the dead-letter queue at once", async () => {
    const { handler, set } = await handlerOf({
      handle: async ({ lastTry }) => {
        expect(lastTry).toBe(true);
        throw new Error("no");
      },
    });
    await handler(
      eventOf(["a"], 4),
      contextOf(() => 60_000),
    );
    expect(set).toMatchObject([{ VisibilityTimeout: 0 }]);
  });

  it("takes no message for which there is no time left", async () => {
    let remaining = 60_000;
    const handled: string[] = [];
    const { handler } = await handlerOf({
      sideBySide: 1,
      handle: async ({ body, outOfTime }) => {
        handled.push(body);
        expect(outOfTime()).toBe(false);
        remaining = 5000;
      },
    });
    const answer = await handler(
      eventOf(["a", "b", "c"]),
      contextOf(() => remaining),
    );
    expect(handled).toEqual(["a"]);
    expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(["b", "c"]);
  });

  it("handles only so many side by side", async () => {
    let now = 0;
    let most = 0;
    const { handler } = await handlerOf({
      handle: async () => {
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setTimeout(resolve, 5));
        now -= 1;
      },
    });
    await handler(
      eventOf(Array.from({ length: 9 }, (_, index) => `${index}`)),
      contextOf(() => 60_000),
    );
    expect(most).toBe(2);
  });
});

describe("the delay until a message is tried again", () => {
  it("grows with the tries, within a quarter of jitter, up to fifteen minutes", () => {
    const tries = fc.integer({ min: 1, max: 100 });
    fc.assert(
      fc.property(
        tries,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (received, random) => {
          const middle = Math.min(900, 10 * 4 ** (received - 1));
          expect(Math.abs(retryDelay(received, random) - middle)).toBeLessThanOrEqual(middle / 4 + 0.5);
        },
      ),
    );
  });
});
