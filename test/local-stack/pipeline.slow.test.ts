import { existsSync, readdirSync } from "node:fs";
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { answers, stopEngine } from "../../infra/local/engines/engine-home.ts";
import { runningProcesses } from "../../infra/local/engines/process-table.ts";
import { useEngine } from "./engine.ts";
import { ask, askFor, deployProbeApp, type ProbeNames } from "./probe-app.ts";

/** Set here, and to be found in no function. */
process.env["GYMLINE_TEST_KEY"] = "a key of the user's";

const environmentSchema = z.object({
  node: z.string(),
  pid: z.int(),
  name: z.string(),
  env: z.record(z.string(), z.string()),
});
const sleepSchema = z.object({ began: z.number(), ended: z.number() });

describe.each(["ministack", "localstack"] as const)("an app deployed to %s from nothing", (engineName) => {
  let names: ProbeNames;
  const engine = useEngine(engineName, async ({ running }) => {
    names = await deployProbeApp(running);
  });
  const lambda = () => new LambdaClient({ ...engine.clientConfig, maxAttempts: 1 });

  it("takes an uploaded object through queue and function into table and store", async () => {
    const s3 = new S3Client(engine.clientConfig);
    const key = "team a/größe.txt";
    await s3.send(new PutObjectCommand({ Bucket: names.DropBucketName, Key: key, Body: "hello" }));

    await vi.waitFor(
      async () =>
        expect(await itemOf(key)).toEqual({ pk: { S: key }, sk: { S: "object" }, length: { N: "5" } }),
      { timeout: 60_000, interval: 200 },
    );
    const stored = await s3.send(new GetObjectCommand({ Bucket: names.StoreBucketName, Key: key }));
    expect(await stored.Body?.transformToString()).toBe("HELLO");
  });

  it("puts an object that always fails into the queue for the dead, and takes those beside it", async () => {
    const s3 = new S3Client(engine.clientConfig);
    const keys = ["one.txt", "poison.txt", "two.txt"];
    await Promise.all(
      keys.map((Key) => s3.send(new PutObjectCommand({ Bucket: names.DropBucketName, Key, Body: Key }))),
    );

    const body = await receive(names.DeadUrl);

    expect(body).toContain("poison.txt");
    expect(await Promise.all(keys.map(itemOf))).toEqual([expect.anything(), undefined, expect.anything()]);
  });

  it("runs functions under the Node of this process, with the engine's endpoint and nothing of the user's", async () => {
    const { node, name, env } = await askFor(environmentSchema, {
      lambda: lambda(),
      name: names.ProbeName,
      probe: { ask: "environment" },
    });

    expect(node).toBe(process.version);
    expect(name).toBe(names.ProbeName);
    expect(new URL(env["AWS_ENDPOINT_URL"] ?? "").port).toBe(new URL(engine.endpoint).port);
    expect(env).toMatchObject({ AWS_REGION: "us-east-1", MARK: "as deployed" });
    expect(env).not.toHaveProperty("GYMLINE_TEST_KEY");
  });

  it("kills a function whose time is up, however busy it is, and answers the next call", async () => {
    const answer = await ask(lambda(), names.ProbeName, { ask: "spin" });

    expect(answer).toMatchObject({
      kind: "error",
      message: expect.stringContaining("timed out after 3.00 s"),
    });
    expect(await ask(lambda(), names.ProbeName, { ask: "echo", text: "there" })).toMatchObject({
      result: { text: "there" },
    });
  });

  it("answers for a function that throws or ends its process", async () => {
    expect(await ask(lambda(), names.ProbeName, { ask: "fail" })).toMatchObject({
      message: "asked to fail",
    });
    expect(await ask(lambda(), names.ProbeName, { ask: "exit" })).toMatchObject({ kind: "error" });
    expect(await ask(lambda(), names.ProbeName, { ask: "echo", text: "there" })).toMatchObject({
      kind: "result",
    });
  });

  it("carries a payload that is larger than a pipe", async () => {
    const text = "ä\n".repeat(500_000);

    const answer = await ask(lambda(), names.ProbeName, { ask: "echo", text });

    expect(answer).toEqual({ kind: "result", result: { text } });
  });

  it("runs invocations side by side", async () => {
    const client = lambda();
    const naps = await Promise.all(
      [1, 2, 3].map(() =>
        askFor(sleepSchema, { lambda: client, name: names.ProbeName, probe: { ask: "sleep", ms: 2_500 } }),
      ),
    );

    expect(Math.max(...naps.map((nap) => nap.began))).toBeLessThan(Math.min(...naps.map((nap) => nap.ended)));
  });

  it("passes an event that fits the rule to its queue", async () => {
    const events = new EventBridgeClient(engine.clientConfig);
    const entry = (kind: string) => ({
      EventBusName: names.BusName,
      Source: "probe",
      DetailType: "published",
      Detail: JSON.stringify({ kind }),
    });
    await events.send(new PutEventsCommand({ Entries: [entry("other"), entry("dataset")] }));

    expect(JSON.parse(await receive(names.EventsUrl))).toMatchObject({ detail: { kind: "dataset" } });
  });

  it("keeps in its logs what a function prints", async () => {
    await ask(lambda(), names.ProbeName, { ask: "echo", text: "" });

    await vi.waitFor(async () => expect(await logged()).toContain("asked for echo"), { timeout: 20_000 });
  });

  // The last of the file: it takes the engine away.
  it("leaves no process, no port and no data when it is stopped", async () => {
    const probe = { lambda: lambda(), name: names.ProbeName, probe: { ask: "environment" } } as const;
    const { pid } = await askFor(environmentSchema, probe);
    const { endpoint, pid: leader } = engine.running;
    const before = await runningProcesses();
    const group = before.filter((row) => row.group === leader).map((row) => row.pid);
    expect(group).toContain(pid);

    await stopEngine(engine.home);

    const left = (await runningProcesses()).map((row) => row.pid);
    expect(left.filter((row) => group.includes(row))).toEqual([]);
    // Another program may have got the port by now, so what counts is that the engine does not answer there.
    const health = engine.running.name === "ministack" ? "_ministack/health" : "_localstack/health";
    await expect(answers(`${endpoint}/${health}`)).resolves.toBe(false);
    expect(readdirSync(engine.home)).toEqual(["engine.log"]);
    expect(existsSync("/tmp/localstack-s3-storage")).toBe(false);
  });

  async function itemOf(key: string) {
    const { Item } = await new DynamoDBClient(engine.clientConfig).send(
      new GetItemCommand({ TableName: names.TableName, Key: { pk: { S: key }, sk: { S: "object" } } }),
    );
    return Item;
  }

  async function receive(QueueUrl: string): Promise<string> {
    const sqs = new SQSClient(engine.clientConfig);
    return vi.waitFor(
      async () => {
        const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 2 }));
        return z.string().parse(Messages?.[0]?.Body);
      },
      { timeout: 60_000, interval: 100 },
    );
  }

  async function logged(): Promise<string> {
    const logs = new CloudWatchLogsClient(engine.clientConfig);
    const { logGroups = [] } = await logs.send(new DescribeLogGroupsCommand({}));
    const pages = await Promise.all(
      logGroups.map(({ logGroupName }) => logs.send(new FilterLogEventsCommand({ logGroupName }))),
    );
    return pages.flatMap(({ events = [] }) => events.map(({ message }) => message)).join("\n");
  }
});
