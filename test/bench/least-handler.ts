import { DynamoDBClient, TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { ingestOrders } from "../../shared/contracts/s3-event.ts";

const s3 = new S3Client({ forcePathStyle: true });
const dynamo = new DynamoDBClient({});

/**
 * The least that takes in an object for good: it is read, written elsewhere, and noted in a transaction. A function of
 * the benchmark; it knows no faults, and nothing is converted, redacted or scored.
 */
export async function handler({ Records }: SQSEvent): Promise<SQSBatchResponse> {
  const orders = Records.flatMap(({ body }) => ingestOrders(body));
  await Promise.all(orders.map(({ key }) => takeIn(key)));
  return { batchItemFailures: [] };
}

async function takeIn(Key: string): Promise<void> {
  const { Body, ETag = "" } = await s3.send(new GetObjectCommand({ Bucket: "least", Key }));
  const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array(0);
  await s3.send(new PutObjectCommand({ Bucket: "least-store", Key, Body: bytes }));
  const item = (sk: string) => ({
    Put: { TableName: "least", Item: { pk: { S: Key }, sk: { S: sk }, eTag: { S: ETag } } },
  });
  await dynamo.send(new TransactWriteItemsCommand({ TransactItems: [item("STATE"), item("ROW")] }));
}
