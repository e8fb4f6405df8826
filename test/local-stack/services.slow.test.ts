import { CreateTableCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { describe, expect, it } from "vitest";
import { useEngine } from "./engine.ts";

describe.each(["ministack", "localstack"] as const)("on %s, the services the adapters use", (name) => {
  const engine = useEngine(name);

  it("refuse a second object where only the first may be put", async () => {
    const s3 = new S3Client(engine.clientConfig);
    await s3.send(new CreateBucketCommand({ Bucket: "once" }));
    const put = () =>
      s3.send(new PutObjectCommand({ Bucket: "once", Key: "a", Body: "first", IfNoneMatch: "*" }));

    await put();

    await expect(put()).rejects.toMatchObject({ name: "PreconditionFailed" });
  });

  it("refuse an item whose condition does not hold", async () => {
    const dynamo = new DynamoDBClient(engine.clientConfig);
    await dynamo.send(
      new CreateTableCommand({
        TableName: "once",
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      }),
    );
    const put = () =>
      dynamo.send(
        new PutItemCommand({
          TableName: "once",
          Item: { id: { S: "a" } },
          ConditionExpression: "attribute_not_exists(id)",
        }),
      );

    await put();

    await expect(put()).rejects.toMatchObject({ name: "ConditionalCheckFailedException" });
  });

  it("deliver a message", async () => {
    const sqs = new SQSClient(engine.clientConfig);
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "letters" }));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "hello" }));

    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));

    expect(Messages?.map((message) => message.Body)).toEqual(["hello"]);
  });
});
