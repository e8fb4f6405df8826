import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { describe, expect, it, onTestFinished } from "vitest";
import { SqsQueue } from "../../../shared/adapters/aws/sqs-queue.ts";
import { QueueSendError } from "../../../shared/ports/queue.ts";
import { useEngine } from "../../local-stack/engine.ts";
import { type FaultRule, startFaultProxy } from "../../local-stack/fault-proxy.ts";
import { queueContract } from "../../ports/queue.contract.ts";

const tries = { tries: 4, delayMs: 5 };

describe("SQS on ministack", () => {
  const engine = useEngine("ministack");
  let ordinal = 0;

  async function makeQueue(endpoint = engine.endpoint, patience = tries) {
    const own = new SQSClient(engine.clientConfig);
    ordinal += 1;
    const { QueueUrl: url = "" } = await own.send(new CreateQueueCommand({ QueueName: `queue-${ordinal}` }));
    // The engine takes bodies apart by one request each, so the one that fits least decides.
    const receive = async (count: number): Promise<readonly string[]> => {
      const bodies: string[] = [];
      for (let empty = 0; bodies.length < count && empty < 5; ) {
        const { Messages = [] } = await own.send(
          new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
        );
        if (Messages.length === 0) {
          empty += 1;
          continue;
        }
        bodies.push(...Messages.map(({ Body }) => Body ?? ""));
        const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle }));
        await own.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }));
      }
      return bodies;
    };
    const client = new SQSClient({ ...engine.clientConfig, endpoint, maxAttempts: 2 });
    return { url, client, queue: new SqsQueue({ client, url, tries: patience }), receive };
  }

  async function makeFaulty(rules: readonly FaultRule[], patience = tries) {
    const proxy = await startFaultProxy({ target: engine.endpoint, seed: 7, rules });
    onTestFinished(() => proxy.stop());
    return { proxy, ...(await makeQueue(proxy.endpoint, patience)) };
  }

  queueContract("SqsQueue", () => makeQueue());

  const bodies = Array.from({ length: 57 }, (_, index) => JSON.stringify({ index }));

  it("sends again only what a batch could not take in", async () => {
    // Requests go out side by side, so chance decides which bodies fail; none may use its tries up.
    const rule = { fault: { kind: "fail-entries", share: 0.5 }, times: 6 } as const;
    const { proxy, queue, receive } = await makeFaulty([rule], { ...tries, tries: rule.times + 1 });
    await queue.send(bodies);
    expect((await receive(57)).toSorted()).toEqual(bodies.toSorted());
    expect(proxy.struck.get("fail-entries")).toBeGreaterThan(5);
  });

  it("reports what the queue refused for good, and sends it once only", async () => {
    const fault = { kind: "fail-entries", share: 0.2, senderFault: true } as const;
    const { proxy, queue, receive } = await makeFaulty([{ fault }]);
    const error = await queue.send(bodies).catch((reason: unknown) => reason);
    if (!(error instanceof QueueSendError)) throw new Error("nothing was refused", { cause: error });
    expect(error.unsent).toHaveLength(proxy.struck.get("fail-entries") ?? 0);
    expect(error.cause).toMatchObject({ name: "MessageRefusedError" });
    expect(proxy.requests.get("sqs SendMessageBatch")).toBe(6);
    const taken = await receive(57 - error.unsent.length);
    expect([...taken, ...error.unsent].toSorted()).toEqual(bodies.toSorted());
  });

  it("reports what could not be sent after all tries", async () => {
    const { proxy, queue, receive } = await makeFaulty([{ fault: { kind: "fail-entries", share: 1 } }]);
    await expect(queue.send(bodies.slice(0, 10))).rejects.toMatchObject({ unsent: bodies.slice(0, 10) });
    expect(proxy.requests.get("sqs SendMessageBatch")).toBe(tries.tries);
    expect(await receive(0)).toEqual([]);
  });

  it.each<readonly [string, FaultRule["fault"]]>([
    ["is broken", { kind: "error", status: 500, code: "InternalFailure" }],
    ["is busy", { kind: "error", status: 400, code: "ThrottlingException" }],
    ["breaks connections", { kind: "cut-request", afterBytes: 10 }],
  ])("sends all when the service %s for a while, longer than its client waits", async (_, fault) => {
    const { queue, receive } = await makeFaulty([{ fault, times: 4 }]);
    await queue.send(bodies.slice(0, 10));
    expect((await receive(10)).toSorted()).toEqual(bodies.slice(0, 10).toSorted());
  });

  it("sends at least once where an answer is lost", async () => {
    const { queue, receive } = await makeFaulty([{ fault: { kind: "lose-answer" }, times: 1 }]);
    await queue.send(bodies.slice(0, 10));
    expect(new Set(await receive(20))).toEqual(new Set(bodies.slice(0, 10)));
  });

  it("gives up at once where the queue is missing", async () => {
    const { client } = await makeQueue();
    const queue = new SqsQueue({ client, url: `${engine.endpoint}/000000000000/there-is-none`, tries });
    await expect(queue.send(["1"])).rejects.toMatchObject({
      unsent: ["1"],
      cause: { name: "QueueDoesNotExist" },
    });
  });
});
