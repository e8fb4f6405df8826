import { describe, expect, it } from "vitest";
import { type GroupHandlerOptions, groupHandler } from "../../functions/lambda/group-handler.ts";
import { contextOf, eventOf, notedQueue } from "./queue-events.ts";

async function handlerOf(options: Partial<GroupHandlerOptions> & Pick<GroupHandlerOptions, "handle">) {
  const { sqs, set, requests } = await notedQueue();
  const handler = groupHandler({ maxReceives: 4, queueUrl: "http://127.0.0.1/q", sqs, ...options });
  return { handler, set, requests };
}

const minute = () => contextOf(() => 60_000);

describe("a handler of queue messages that go together", () => {
  it("gets all of them at once, and gives back those that failed", async () => {
    const groups: (readonly string[])[] = [];
    const { handler, set } = await handlerOf({
      handle: async ({ messages, requestId }) => {
        groups.push(messages.map(({ body }) => body));
        expect([requestId, messages.every(({ lastTry }) => !lastTry)]).toEqual(["request", true]);
        return messages.map(({ body }) => (body === "bad" ? new Error("no") : undefined));
      },
    });
    const answer = await handler(eventOf(["a", "bad", "b"]), minute());
    expect(groups).toEqual([["a", "bad", "b"]]);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "bad" }] });
    expect(set).toMatchObject([{ ReceiptHandle: "handle of bad" }]);
    expect(set[0]?.VisibilityTimeout).toBeGreaterThanOrEqual(7);
  });

  it("gives back all of them where it throws, ten to a request", async () => {
    const { handler, set, requests } = await handlerOf({
      handle: async () => {
        throw new Error("no");
      },
    });
    const names = Array.from({ length: 25 }, (_, index) => `m${index}`);
    const answer = await handler(eventOf(names), minute());
    expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(names);
    expect(new Set(set.map(({ ReceiptHandle }) => ReceiptHandle)).size).toBe(25);
    expect(requests.map(({ length }) => length).sort()).toEqual([10, 10, 5]);
  });

  it("gives back all of them where the handler says too little, rather than lose one", async () => {
    const { handler } = await handlerOf({ handle: async () => [undefined] });
    expect((await handler(eventOf(["a", "b"]), minute())).batchItemFailures).toHaveLength(2);
  });

  it("lets those that failed for the last time go to the dead-letter queue at once", async () => {
    const { handler, set } = await handlerOf({
      handle: async ({ messages }) => messages.map(({ lastTry }) => (lastTry ? new Error("no") : undefined)),
    });
    await handler(eventOf(["a"], 4), minute());
    expect(set).toMatchObject([{ VisibilityTimeout: 0 }]);
  });

  it("keeps as much of its time as it is told, but no more than a quarter", async () => {
    let remaining = 300_000;
    const seen: boolean[] = [];
    const { handler } = await handlerOf({
      reserveMs: 60_000,
      handle: async ({ outOfTime, remainingMs, messages }) => {
        for (remaining of [61_000, 59_000]) seen.push(outOfTime());
        expect(remainingMs()).toBe(59_000);
        return messages.map(() => undefined);
      },
    });
    const context = contextOf(() => remaining);
    await handler(eventOf(["a"]), context);
    expect(seen).toEqual([false, true]);
    // A quarter of 59 seconds: there is time left at 59.
    expect((await handler(eventOf(["a"]), context)).batchItemFailures).toEqual([]);
  });
});
