import {
  CloudFormationClient,
  CreateStackCommand,
  waitUntilStackCreateComplete,
} from "@aws-sdk/client-cloudformation";
import { CATALOG_INDEXES, CATALOG_TABLE } from "../../shared/contracts/catalog-table.ts";
import { STAGES } from "../../shared/contracts/deployment-config.ts";
import {
  deadLetterQueueName,
  dropBucketName,
  eventBusName,
  pipelineStackName,
  queueName,
  storeBucketName,
  tableName,
} from "../../shared/contracts/names.ts";
import type { TestEngine } from "./engine.ts";

/** Makes what a deployment keeps its state in, with the names and outputs of the real stack but without functions. */
export async function makeSmallDeployment(
  name: string,
  engine: TestEngine,
  leaveOut: readonly string[] = [],
): Promise<void> {
  const { Resources, Outputs } = templateOf(name, engine.clientConfig.region);
  const outputs = Object.entries(Outputs).filter(([key]) => !leaveOut.includes(key));
  await makeStack(pipelineStackName(name), engine, { Resources, Outputs: Object.fromEntries(outputs) });
}

export async function makeStack(
  StackName: string,
  { clientConfig }: TestEngine,
  template: { readonly Resources: object; readonly Outputs: object },
): Promise<void> {
  const client = new CloudFormationClient(clientConfig);
  await client.send(new CreateStackCommand({ StackName, TemplateBody: JSON.stringify(template) }));
  await waitUntilStackCreateComplete({ client, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { StackName });
  client.destroy();
}

/** Of accounts on the engine. */
export const ENGINE_ACCOUNT = "000000000000";

function templateOf(name: string, region: string) {
  const place = { name, account: ENGINE_ACCOUNT, region };
  const queues = STAGES.flatMap((stage) => {
    const title = stage.charAt(0).toUpperCase() + stage.slice(1);
    const target = { "Fn::GetAtt": [`${title}Dlq`, "Arn"] };
    return [
      { id: `${title}Dlq`, properties: { QueueName: deadLetterQueueName(name, stage) } },
      {
        id: `${title}Queue`,
        properties: {
          QueueName: queueName(name, stage),
          RedrivePolicy: { deadLetterTargetArn: target, maxReceiveCount: 4 },
        },
      },
    ];
  });
  const resources = {
    Drop: { Type: "AWS::S3::Bucket", Properties: { BucketName: dropBucketName(place) } },
    Store: { Type: "AWS::S3::Bucket", Properties: { BucketName: storeBucketName(place) } },
    Table: { Type: "AWS::DynamoDB::Table", Properties: tableOf(name) },
    Bus: { Type: "AWS::Events::EventBus", Properties: { Name: eventBusName(name) } },
    ...Object.fromEntries(
      queues.map(({ id, properties }) => [id, { Type: "AWS::SQS::Queue", Properties: properties }]),
    ),
  };
  const output = (id: string) => ({ Value: { Ref: id } });
  return {
    Resources: resources,
    Outputs: {
      DropBucketName: output("Drop"),
      StoreBucketName: output("Store"),
      TableName: output("Table"),
      EventBusName: { Value: eventBusName(name) },
      ...Object.fromEntries(queues.map(({ id }) => [`${id}Url`, output(id)])),
    },
  };
}

function tableOf(name: string) {
  const { partitionKey, sortKey } = CATALOG_TABLE;
  const keys = (partition: string, sort: string) => [
    { AttributeName: partition, KeyType: "HASH" },
    { AttributeName: sort, KeyType: "RANGE" },
  ];
  const indexes = Object.values(CATALOG_INDEXES);
  const attributes = new Set([
    partitionKey,
    sortKey,
    ...indexes.flatMap((index) => [index.partitionKey, index.sortKey]),
  ]);
  return {
    TableName: tableName(name),
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [...attributes].map((attribute) => ({
      AttributeName: attribute,
      AttributeType: "S",
    })),
    KeySchema: keys(partitionKey, sortKey),
    GlobalSecondaryIndexes: indexes.map((index) => ({
      IndexName: index.name,
      KeySchema: keys(index.partitionKey, index.sortKey),
      Projection: { ProjectionType: index.projection },
    })),
  };
}
