import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import { z } from "zod";

const requestSchema = z.object({
  Entries: z.array(
    z.object({
      Source: z.string(),
      DetailType: z.string(),
      Detail: z.string().transform((text) => detailSchema.parse(JSON.parse(text))),
      EventBusName: z.string(),
      Resources: z.array(z.string()),
      Time: z.number(),
    }),
  ),
});
const detailSchema = z.looseObject({ jobId: z.string(), status: z.string() });

export type BusEntry = z.output<typeof requestSchema>["Entries"][number];

/** What the bus says to one entry: null takes it, a text refuses it with that code. */
export type Verdict = (entry: BusEntry) => string | null;

export interface EventBus {
  readonly url: string;
  /** What it took, in order. */
  readonly taken: readonly BusEntry[];
  /** Calls that it answers with status 500 before it takes any. */
  failNext(calls: number): void;
}

/** Stands for EventBridge on loopback. */
export async function startEventBus(verdict: Verdict = () => null): Promise<EventBus> {
  const taken: BusEntry[] = [];
  let failing = 0;
  const server = createServer(async (request, response) => {
    const { Entries } = requestSchema.parse(await json(request));
    if (failing-- > 0) {
      response.writeHead(500).end("{}");
      return;
    }
    const answers = Entries.map((entry) => {
      const code = verdict(entry);
      if (code !== null) return { ErrorCode: code, ErrorMessage: "refused" };
      taken.push(entry);
      return { EventId: "id" };
    });
    const failed = answers.filter((answer) => "ErrorCode" in answer).length;
    response.writeHead(200, { "content-type": "application/x-amz-json-1.1" });
    response.end(JSON.stringify({ FailedEntryCount: failed, Entries: answers }));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    taken,
    failNext: (calls) => {
      failing = calls;
    },
  };
}
