import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { Context, SQSEvent } from "aws-lambda";
import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { type BatchHandlerOptions, batchHandler } from "../../functions/lambda/batch-handler.ts";
import { retryDelay } from "../../functions/lambda/retry-later.ts";

interface Visibility {
  readonly ReceiptHandle: string;
  readonly VisibilityTimeout: number;
}

/** A service that only takes notes of visibility time-outs. */
async function queue(): Promise<{ readonly sqs: () => Promise<SQSClient>; readonly set: Visibility[] }> {
  const set: Visibility[] = [];
  const server = createServer(async (request, response) => {
    set.push(JSON.parse(await text(request)));
    response.setHeader("content-type", "application/x-amz-json-1.0").end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = new SQSClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  return { sqs: async () => client, set };
}

function eventOf(bodies: readonly string[], received = 1): SQSEvent {
  const records = bodies.map((body) => ({
    messageId: body,
    receiptHandle: `handle of ${body}`,
    body,
    attributes: { ApproximateReceiveCount: String(received) },
    eventSource: "aws:sqs",
  }));
  return { Records: records } as unknown as SQSEvent;
}

function contextOf(remaining: () => number): Context {
  return { awsRequestId: "request", getRemainingTimeInMillis: remaining } as unknown as Context;
}

async function handlerOf(options: Partial<BatchHandlerOptions> & Pick<BatchHandlerOptions, "handle">) {
  const { sqs, set } = await queue();
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
