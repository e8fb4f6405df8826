import type { BatchClient } from "@aws-sdk/client-batch";
import type { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import type { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import type { S3Client } from "@aws-sdk/client-s3";
import type { ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import type { SQSClient } from "@aws-sdk/client-sqs";
import type { STSClient } from "@aws-sdk/client-sts";
import { NodeHttpHandler } from "@smithy/node-http-handler";

/** Tries of one request in all; the delay between them doubles and has jitter. */
const ATTEMPTS = 5;
/** Connections of one client: more than a stage ever has under way. */
const SOCKETS = 128;
const CONNECT_MS = 5_000;
/** A function that waited longer would only run into its own time-out. */
const SILENCE_MS = 60_000;

/** Clients of one process. Each is loaded and made when it is first asked for, so that a function starts fast. */
export interface AwsClients {
  s3(): Promise<S3Client>;
  sqs(): Promise<SQSClient>;
  eventBridge(): Promise<EventBridgeClient>;
  batch(): Promise<BatchClient>;
  dynamoDb(): Promise<DynamoDBClient>;
  cloudFormation(): Promise<CloudFormationClient>;
  cloudWatch(): Promise<CloudWatchClient>;
  lambda(): Promise<LambdaClient>;
  serviceQuotas(): Promise<ServiceQuotasClient>;
  sts(): Promise<STSClient>;
  /** Closes the connections of all that were made. */
  close(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Region and credentials come from where the SDK looks for them; AWS_ENDPOINT_URL, or AWS_ENDPOINT_URL_<SERVICE>,
 * sends all requests elsewhere.
 * @param options `silenceMs`: a connection that brings nothing for so long is given up and the request tried again
 */
export function awsClients(
  environment: Environment = process.env,
  options: { readonly silenceMs?: number | undefined } = {},
): AwsClients {
  const made: Promise<{ destroy(): void }>[] = [];
  const once = <T extends { destroy(): void }>(make: () => Promise<T>): (() => Promise<T>) => {
    let client: Promise<T> | undefined;
    return () => {
      if (client === undefined) {
        client = make();
        made.push(client);
      }
      return client;
    };
  };
  const settings = (service: string) =>
    clientSettings({ environment, service, silenceMs: options.silenceMs ?? SILENCE_MS });
  return {
    s3: once(async () => {
      const { S3Client } = await import("@aws-sdk/client-s3");
      const common = settings("S3");
      // The name of a bucket does not resolve as a host below the endpoint of a local engine.
      return new S3Client({ ...common, forcePathStyle: "endpoint" in common });
    }),
    sqs: once(async () => {
      const { SQSClient } = await import("@aws-sdk/client-sqs");
      return new SQSClient(settings("SQS"));
    }),
    eventBridge: once(async () => {
      const { EventBridgeClient } = await import("@aws-sdk/client-eventbridge");
      return new EventBridgeClient(settings("EVENTBRIDGE"));
    }),
    batch: once(async () => {
      const { BatchClient } = await import("@aws-sdk/client-batch");
      return new BatchClient(settings("BATCH"));
    }),
    dynamoDb: once(async () => {
      const { DynamoDBClient } = await import("@aws-sdk/client-dynamodb");
      return new DynamoDBClient(settings("DYNAMODB"));
    }),
    cloudFormation: once(async () => {
      const { CloudFormationClient } = await import("@aws-sdk/client-cloudformation");
      return new CloudFormationClient(settings("CLOUDFORMATION"));
    }),
    cloudWatch: once(async () => {
      const { CloudWatchClient } = await import("@aws-sdk/client-cloudwatch");
      return new CloudWatchClient(settings("CLOUDWATCH"));
    }),
    lambda: once(async () => {
      const { LambdaClient } = await import("@aws-sdk/client-lambda");
      return new LambdaClient(settings("LAMBDA"));
    }),
    serviceQuotas: once(async () => {
      const { ServiceQuotasClient } = await import("@aws-sdk/client-service-quotas");
      return new ServiceQuotasClient(settings("SERVICE_QUOTAS"));
    }),
    sts: once(async () => {
      const { STSClient } = await import("@aws-sdk/client-sts");
      return new STSClient(settings("STS"));
    }),
    close: async () => {
      for (const client of await Promise.all(made)) client.destroy();
    },
  };
}

function clientSettings({
  environment,
  service,
  silenceMs,
}: {
  readonly environment: Environment;
  readonly service: string;
  readonly silenceMs: number;
}) {
  // Given to the client and not left to the SDK: an SQS client without it goes to the host of the queue's URL.
  const endpoint = environment[`AWS_ENDPOINT_URL_${service}`] ?? environment["AWS_ENDPOINT_URL"];
  const region = environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"];
  const credentials = environment === process.env ? undefined : credentialsOf(environment);
  const agent = { keepAlive: true, maxSockets: SOCKETS };
  return {
    maxAttempts: ATTEMPTS,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: CONNECT_MS,
      socketTimeout: silenceMs,
      httpAgent: agent,
      httpsAgent: agent,
    }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(credentials === undefined ? {} : { credentials }),
  };
}

/** The SDK itself looks into the environment of the process only. */
function credentialsOf(environment: Environment) {
  const accessKeyId = environment["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = environment["AWS_SECRET_ACCESS_KEY"];
  const sessionToken = environment["AWS_SESSION_TOKEN"];
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}
