import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { Context, S3Event, SQSBatchResponse, SQSEvent } from "aws-lambda";

// Made without settings, as the program's own functions make them: what they need stands in the environment.
const s3 = new S3Client({ forcePathStyle: true });
const dynamo = new DynamoDBClient({});

/** Copies each dropped object to the store and notes it in the table, once. An object named `poison…` always fails. */
export async function handler(event: SQSEvent): Promise<SQSBatchResponse> {
  const batchItemFailures = [];
  for (const { messageId, body } of event.Records) {
    try {
      for (const { s3: place } of (JSON.parse(body) as Partial<S3Event>).Records ?? []) {
        await take(place.bucket.name, decodeURIComponent(place.object.key.replaceAll("+", " ")));
      }
    } catch (error) {
      process.stdout.write(`cannot take message ${messageId}: ${error}\n`);
      batchItemFailures.push({ itemIdentifier: messageId });
    }
  }
  return { batchItemFailures };
}

async function take(bucket: string, key: string): Promise<void> {
  if (key.startsWith("poison")) throw new Error("this object is poison");
  const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  const text = (await object.Body?.transformToString()) ?? "";
  await s3.send(new PutObjectCommand({ Bucket: process.env["STORE"], Key: key, Body: text.toUpperCase() }));
  const item = { pk: { S: key }, sk: { S: "object" }, length: { N: `${text.length}` } };
  await dynamo.send(
    new PutItemCommand({
      TableName: process.env["TABLE"],
      Item: item,
      ConditionExpression: "attribute_not_exists(pk)",
    }),
  );
}

export type Probe =
  | { readonly ask: "environment" }
  | { readonly ask: "echo"; readonly text: string }
  | { readonly ask: "spin" }
  | { readonly ask: "fail" }
  | { readonly ask: "exit" }
  | { readonly ask: "sleep"; readonly ms: number };

/** Does what it is asked, so that a test can look at how the engine runs functions. */
export async function probe(event: Probe, context: Context) {
  process.stdout.write(`asked for ${event.ask}\n`);
  switch (event.ask) {
    case "environment":
      return { node: process.version, pid: process.pid, env: process.env, name: context.functionName };
    case "echo":
      return { text: event.text };
    case "spin":
      for (;;); // Only a kill ends this: no timer of its own process can.
    case "sleep": {
      const began = Date.now();
      await new Promise((settle) => setTimeout(settle, event.ms));
      return { began, ended: Date.now() };
    }
    case "fail":
      throw new RangeError("asked to fail");
    case "exit":
      return process.exit(3);
  }
}
