import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { Context, SQSEvent } from "aws-lambda";
import { onTestFinished } from "vitest";

export interface Visibility {
  readonly ReceiptHandle: string;
  readonly VisibilityTimeout: number;
}

/** A service that only takes notes of visibility time-outs, request by request. */
export async function notedQueue(): Promise<{
  readonly sqs: () => Promise<SQSClient>;
  readonly set: Visibility[];
  readonly requests: (readonly Visibility[])[];
}> {
  const set: Visibility[] = [];
  const requests: (readonly Visibility[])[] = [];
  const server = createServer(async (request, response) => {
    const { Entries } = JSON.parse(await text(request)) as { readonly Entries: readonly Visibility[] };
    set.push(...Entries);
    requests.push(Entries);
    response
      .setHeader("content-type", "application/x-amz-json-1.0")
      .end(JSON.stringify({ Successful: [], Failed: [] }));
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
  return { sqs: async () => client, set, requests };
}

export function eventOf(bodies: readonly string[], received = 1): SQSEvent {
  const records = bodies.map((body) => ({
    messageId: body,
    receiptHandle: `handle of ${body}`,
    body,
    attributes: { ApproximateReceiveCount: String(received) },
    eventSource: "aws:sqs",
  }));
  return { Records: records } as unknown as SQSEvent;
}

export function contextOf(remaining: () => number): Context {
  return { awsRequestId: "request", getRemainingTimeInMillis: remaining } as unknown as Context;
}
