import { Arn, Aws, Stack } from "aws-cdk-lib";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Bucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import type { DeploymentConfig, Stage } from "../../shared/contracts/deployment-config.ts";
import {
  deadLetterQueueName,
  dropBucketName,
  eventBusName,
  keyAlias,
  queueName,
  storeBucketName,
  tableName,
} from "../../shared/contracts/names.ts";
import { KEY_ACTIONS, type Permission, permit } from "./permit.ts";
import {
  deleteObjects,
  eraseObjects,
  listBucket,
  publishTo,
  readObjects,
  sendTo,
  useCatalog,
  writeObjects,
} from "./rights.ts";

/**
 * What a job may do: what ingest, score and export may, for what is too large for a function. All is named by the
 * names of the pipeline stack, so neither stack holds the other.
 */
export function jobRole(scope: Construct, config: DeploymentConfig): Role {
  const role = new Role(scope, "JobRole", {
    assumedBy: new ServicePrincipal("ecs-tasks.amazonaws.com"),
    description: "Jobs that take over from functions",
  });
  const place = { name: config.name, account: Aws.ACCOUNT_ID, region: Aws.REGION };
  const drop = Bucket.fromBucketName(scope, "Drop", dropBucketName(place));
  const store = Bucket.fromBucketName(scope, "Store", storeBucketName(place));
  const arn = (service: string, resource: string, resourceName?: string) =>
    Arn.format(
      { service, resource, ...(resourceName === undefined ? {} : { resourceName }) },
      Stack.of(scope),
    );
  const queue = (name: string) => ({ queueArn: arn("sqs", name) });
  const stageQueue = (stage: Stage) => queue(queueName(config.name, stage));
  permit(
    role,
    readObjects(drop),
    listBucket(drop),
    readObjects(store, "trajectories/", "blobs/", "rejected/", "scores/", "datasets/"),
    readObjects(store, "judgements/", "labels/"),
    writeObjects(store, "trajectories/", "blobs/", "rejected/", "scores/", "datasets/"),
    writeObjects(store, "failed-exports/"),
    deleteObjects(store, "rejected/", "failed-exports/"),
    ...eraseObjects(store, "scores/"),
    listBucket(store),
    ...useCatalog({ tableArn: arn("dynamodb", "table", tableName(config.name)) }),
    sendTo(
      stageQueue("score"),
      stageQueue("judge"),
      stageQueue("export"),
      queue(deadLetterQueueName(config.name, "ingest")),
    ),
    publishTo({ eventBusArn: arn("events", "event-bus", eventBusName(config.name)) }),
    ...(config.kms ? [useKeyByAlias(arn("kms", "key", "*"), config.name)] : []),
  );
  return role;
}

/** The deployment's own key, which another stack makes. @param keys ARN of all keys of the account */
export function useKeyByAlias(keys: string, name: string): Permission {
  return {
    actions: KEY_ACTIONS,
    resources: [keys],
    conditions: { "ForAnyValue:StringEquals": { "kms:ResourceAliases": keyAlias(name) } },
    wildcard: "The key belongs to the pipeline stack; the condition allows the one with its alias alone.",
  };
}
