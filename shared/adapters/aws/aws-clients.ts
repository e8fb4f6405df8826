import type { BatchClient } from "@aws-sdk/client-batch";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import type { S3Client } from "@aws-sdk/client-s3";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { ClientMaker, type ClientOptions, type Environment } from "./client-maker.ts";

/** Clients that the pipeline itself needs. Each is loaded when it is first asked for, so that a function starts fast. */
export interface AwsClients {
  s3(): Promise<S3Client>;
  sqs(): Promise<SQSClient>;
  eventBridge(): Promise<EventBridgeClient>;
  batch(): Promise<BatchClient>;
  dynamoDb(): Promise<DynamoDBClient>;
  secretsManager(): Promise<SecretsManagerClient>;
  /** Closes the connections of all that were made. */
  close(): Promise<void>;
}

export function awsClients(
  environment: Environment = process.env,
  options: ClientOptions = {},
  maker = new ClientMaker(environment, options),
): AwsClients {
  return {
    s3: maker.once("S3", async (settings) => {
      const { S3Client } = await import("@aws-sdk/client-s3");
      // The name of a bucket does not resolve as a host below the endpoint of a local engine.
      return new S3Client({ ...settings, forcePathStyle: "endpoint" in settings });
    }),
    sqs: maker.once("SQS", async (settings) => {
      const { SQSClient } = await import("@aws-sdk/client-sqs");
      return new SQSClient(settings);
    }),
    eventBridge: maker.once("EVENTBRIDGE", async (settings) => {
      const { EventBridgeClient } = await import("@aws-sdk/client-eventbridge");
      return new EventBridgeClient(settings);
    }),
    batch: maker.once("BATCH", async (settings) => {
      const { BatchClient } = await import("@aws-sdk/client-batch");
      return new BatchClient(settings);
    }),
    dynamoDb: maker.once("DYNAMODB", async (settings) => {
      const { DynamoDBClient } = await import("@aws-sdk/client-dynamodb");
      return new DynamoDBClient(settings);
    }),
    secretsManager: maker.once("SECRETS_MANAGER", async (settings) => {
      const { SecretsManagerClient } = await import("@aws-sdk/client-secrets-manager");
      return new SecretsManagerClient(settings);
    }),
    close: () => maker.close(),
  };
}
