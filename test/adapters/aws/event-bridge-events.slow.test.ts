import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { EventBridgeEvents } from "../../../shared/adapters/aws/event-bridge-events.ts";
import { EVENT_SOURCE } from "../../../shared/contracts/events.ts";
import type { OutgoingEvent } from "../../../shared/ports/events.ts";
import { useEngine } from "../../local-stack/engine.ts";
import { type FaultRule, startFaultProxy } from "../../local-stack/fault-proxy.ts";
import { eventsContract } from "../../ports/events.contract.ts";

const tries = { tries: 5, delayMs: 5 };

const envelopeSchema = z.object({
  "detail-type": z.string(),
  source: z.literal(EVENT_SOURCE),
  detail: z.record(z.string(), z.unknown()),
  resources: z.array(z.string()),
});

describe("EventBridge on ministack", () => {
  const engine = useEngine("ministack");
  let ordinal = 0;

  async function makeBus(rules: readonly FaultRule[] = []) {
    ordinal += 1;
    const bus = `bus-${ordinal}`;
    const sqs = new SQSClient(engine.clientConfig);
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: bus }));
    const attributes = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["QueueArn"] }),
    );
    const setUp = new EventBridgeClient(engine.clientConfig);
    await setUp.send(new CreateEventBusCommand({ Name: bus }));
    const EventPattern = JSON.stringify({ source: [EVENT_SOURCE] });
    await setUp.send(new PutRuleCommand({ Name: bus, EventBusName: bus, EventPattern }));
    const Targets = [{ Id: "queue", Arn: attributes.Attributes?.["QueueArn"] }];
    await setUp.send(new PutTargetsCommand({ Rule: bus, EventBusName: bus, Targets }));
    const receive = async (count: number): Promise<readonly OutgoingEvent[]> => {
      const events: OutgoingEvent[] = [];
      for (let empty = 0; events.length < count && empty < 5; ) {
        const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }));
        if (Messages.length === 0) empty += 1;
        for (const { Body, ReceiptHandle } of Messages) {
          const event = envelopeSchema.parse(JSON.parse(Body ?? ""));
          events.push({ type: event["detail-type"], detail: event.detail, resources: event.resources });
          await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        }
      }
      return events;
    };
    const proxy = await startFaultProxy({ target: engine.endpoint, seed: 3, rules });
    onTestFinished(() => proxy.stop());
    const client = new EventBridgeClient({
      ...engine.clientConfig,
      endpoint: proxy.endpoint,
      maxAttempts: 2,
    });
    return { proxy, events: new EventBridgeEvents({ client, bus, tries }), receive };
  }

  eventsContract("EventBridgeEvents", () => makeBus());

  const some = Array.from({ length: 30 }, (_, index) => ({ type: "some.thing", detail: { index } }));
  const indexes = (events: readonly OutgoingEvent[]) =>
    events.map(({ detail }) => Number(detail["index"])).toSorted((a, b) => a - b);

  it("publishes again only what was refused for a while", async () => {
    const { proxy, events, receive } = await makeBus([{ fault: { kind: "fail-entries", share: 0.3 } }]);
    await events.publish(some);
    expect(indexes(await receive(30))).toEqual(indexes(some));
    expect(proxy.struck.get("fail-entries")).toBeGreaterThan(3);
  });

  it("says how many were refused for good, and publishes the others", async () => {
    const fault = { kind: "fail-entries", share: 0.2, senderFault: true } as const;
    const { proxy, events, receive } = await makeBus([{ fault }]);
    const refused = () => proxy.struck.get("fail-entries") ?? 0;
    const error = await events.publish(some).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      name: "EventPublishError",
      cause: { message: expect.stringContaining("InvalidArgument") },
    });
    expect(String(error)).toContain(`${refused()} of 30 events`);
    expect(proxy.requests.get("events PutEvents")).toBe(3);
    expect(await receive(30 - refused())).toHaveLength(30 - refused());
  });

  it("goes on after the service was broken for longer than its client waits", async () => {
    const fault = { kind: "error", status: 503, code: "InternalFailure" } as const;
    const { events, receive } = await makeBus([{ fault, times: 5 }]);
    await events.publish(some.slice(0, 3));
    expect(indexes(await receive(3))).toEqual([0, 1, 2]);
  });

  it("gives up when tries run out", async () => {
    const { proxy, events } = await makeBus([{ fault: { kind: "fail-entries", share: 1 } }]);
    await expect(events.publish(some.slice(0, 2))).rejects.toThrow("2 of 2 events");
    expect(proxy.requests.get("events PutEvents")).toBe(tries.tries);
  });
});
