import { CreateBucketCommand, HeadBucketCommand } from "@aws-sdk/client-s3";
import { CreateQueueCommand } from "@aws-sdk/client-sqs";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { LOCAL_CREDENTIALS } from "../../../infra/local/engines/client-environment.ts";
import { awsClients } from "../../../shared/adapters/aws/aws-clients.ts";
import { SqsQueue } from "../../../shared/adapters/aws/sqs-queue.ts";
import { useEngine } from "../../local-stack/engine.ts";
import { startFaultProxy } from "../../local-stack/fault-proxy.ts";

describe("the clients of a process", () => {
  const engine = useEngine("ministack");

  function clientsOf(environment: Readonly<Record<string, string>>, silenceMs?: number) {
    vi.stubEnv("AWS_ACCESS_KEY_ID", LOCAL_CREDENTIALS.accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", LOCAL_CREDENTIALS.secretAccessKey);
    onTestFinished(() => void vi.unstubAllEnvs());
    const clients = awsClients({ AWS_REGION: "us-east-1", ...environment }, { silenceMs });
    onTestFinished(() => clients.close());
    return clients;
  }

  it("are made once each", async () => {
    const clients = clientsOf({});
    expect(await clients.s3()).toBe(await clients.s3());
    expect(await clients.sqs()).toBe(await clients.sqs());
  });

  it("go to the endpoint in the environment, a queue's too, whatever host its URL names", async () => {
    const proxy = await startFaultProxy({ target: engine.endpoint, seed: 1 });
    onTestFinished(() => proxy.stop());
    const clients = clientsOf({
      AWS_ENDPOINT_URL: "http://127.0.0.1:9",
      AWS_ENDPOINT_URL_S3: proxy.endpoint,
    });
    const s3 = await clients.s3();
    await s3.send(new CreateBucketCommand({ Bucket: "some.bucket" }));
    await s3.send(new HeadBucketCommand({ Bucket: "some.bucket" }));
    expect(proxy.requests.get("s3 HeadBucket")).toBe(1);

    const client = await clientsOf({ AWS_ENDPOINT_URL: proxy.endpoint }).sqs();
    const { QueueUrl = "" } = await client.send(new CreateQueueCommand({ QueueName: "some" }));
    const url = QueueUrl.replace(/^http:\/\/[^/]+/, "http://127.0.0.1:9");
    await new SqsQueue({ client, url }).send(["1"]);
    expect(proxy.requests.get("sqs SendMessageBatch")).toBe(1);
  });

  it("try again where a connection falls silent", async () => {
    const fault = { kind: "hang" } as const;
    const rules = [{ operation: "HeadBucket", fault, times: 2 }];
    const proxy = await startFaultProxy({ target: engine.endpoint, seed: 1, rules });
    onTestFinished(() => proxy.stop());
    const s3 = await clientsOf({ AWS_ENDPOINT_URL: proxy.endpoint }, 100).s3();
    await s3.send(new CreateBucketCommand({ Bucket: "silent" }));
    await s3.send(new HeadBucketCommand({ Bucket: "silent" }));
    expect(proxy.struck.get("hang")).toBe(2);
  });
});
