import { Arn, Stack } from "aws-cdk-lib";
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import type { EventBus } from "aws-cdk-lib/aws-events";
import type { IBucket } from "aws-cdk-lib/aws-s3";
import type { Secret } from "aws-cdk-lib/aws-secretsmanager";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { CATALOG_INDEXES } from "../../shared/contracts/catalog-table.ts";
import {
  jobDefinitionName,
  jobQueueName,
  rolloutDefinitionName,
  rolloutQueueName,
  trainingJobDefinitionName,
} from "../../shared/contracts/names.ts";
import type { Permission } from "./permit.ts";

/** Building blocks of what stages may do. Each is exact in its actions; wildcards stand for keys and revisions only. */

const KEYS = "Objects are named by hashes and by what users drop: their keys are not known before.";

/** Objects below these prefixes; without prefixes, all. */
export function readObjects(
  bucket: Pick<IBucket, "arnForObjects">,
  ...prefixes: readonly string[]
): Permission {
  return {
    actions: ["s3:GetObject"],
    resources: below(bucket, prefixes),
    wildcard: KEYS,
  };
}

export function writeObjects(
  bucket: Pick<IBucket, "arnForObjects">,
  ...prefixes: readonly string[]
): Permission {
  return {
    actions: ["s3:AbortMultipartUpload", "s3:PutObject"],
    resources: below(bucket, prefixes),
    wildcard: KEYS,
  };
}

export function deleteObjects(
  bucket: Pick<IBucket, "arnForObjects">,
  ...prefixes: readonly string[]
): Permission {
  return {
    actions: ["s3:DeleteObject"],
    resources: below(bucket, prefixes),
    wildcard: KEYS,
  };
}

/** Removes objects with all their older versions, as forgetting does. */
export function eraseObjects(
  bucket: Pick<IBucket, "arnForObjects" | "bucketArn">,
  ...prefixes: readonly string[]
): readonly Permission[] {
  return [
    {
      actions: ["s3:DeleteObject", "s3:DeleteObjectVersion"],
      resources: below(bucket, prefixes),
      wildcard: KEYS,
    },
    { actions: ["s3:ListBucketVersions"], resources: [bucket.bucketArn] },
  ];
}

/** Listing, without which S3 answers that a missing key is forbidden instead of missing. */
export function listBucket(bucket: Pick<IBucket, "bucketArn">): Permission {
  return { actions: ["s3:ListBucket"], resources: [bucket.bucketArn] };
}

/** Rows of the catalog, alone and in transactions, and its indexes. No scans. */
export function useCatalog({ tableArn }: Pick<Table, "tableArn">): readonly Permission[] {
  return [
    {
      actions: [
        "dynamodb:BatchGetItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
      ],
      resources: [tableArn],
    },
    {
      actions: ["dynamodb:Query"],
      resources: Object.values(CATALOG_INDEXES).map(({ name }) => `${tableArn}/index/${name}`),
    },
  ];
}

export function sendTo(...queues: readonly Pick<IQueue, "queueArn">[]): Permission {
  return { actions: ["sqs:SendMessage"], resources: queues.map(({ queueArn }) => queueArn) };
}

export function publishTo({ eventBusArn }: Pick<EventBus, "eventBusArn">): Permission {
  return { actions: ["events:PutEvents"], resources: [eventBusArn] };
}

/** Submits jobs of the deployment to its own queue. Both are named, since they are made by a stack of their own. */
export function submitJobs(scope: Construct, name: string): Permission {
  const arn = (resource: string, resourceName: string) =>
    Arn.format({ service: "batch", resource, resourceName }, Stack.of(scope));
  const definition = jobDefinitionName(name);
  return {
    actions: ["batch:SubmitJob"],
    resources: [
      arn("job-queue", jobQueueName(name, "cpu")),
      arn("job-definition", definition),
      arn("job-definition", `${definition}:*`),
    ],
    wildcard: "Each deployment that changes the job makes a new revision of its definition.",
  };
}

/** Submits jobs that train, and jobs in which agents act. */
export function submitLoopJobs(scope: Construct, name: string): Permission {
  const arn = (resource: string, resourceName: string) =>
    Arn.format({ service: "batch", resource, resourceName }, Stack.of(scope));
  const definitions = [trainingJobDefinitionName(name), rolloutDefinitionName(name, "cpu")];
  return {
    actions: ["batch:SubmitJob"],
    resources: [
      arn("job-queue", jobQueueName(name, "gpu")),
      arn("job-queue", rolloutQueueName(name, "cpu")),
      ...definitions.flatMap((each) => [arn("job-definition", each), arn("job-definition", `${each}:*`)]),
    ],
    wildcard: "Each deployment that changes a job makes a new revision of its definition.",
  };
}

/** Ends a job that takes too long. */
export function endJobs(scope: Construct): Permission {
  return {
    actions: ["batch:TerminateJob"],
    resources: [Arn.format({ service: "batch", resource: "job", resourceName: "*" }, Stack.of(scope))],
    wildcard: "Batch gives each job an id of its own.",
  };
}

/** The value of one secret. */
export function readSecret({ secretArn }: Pick<Secret, "secretArn">): Permission {
  return { actions: ["secretsmanager:GetSecretValue"], resources: [secretArn] };
}

/** Asks what became of a job. */
export const LOOK_AT_JOBS: Permission = {
  actions: ["batch:DescribeJobs"],
  resources: ["*"],
  wildcard: "This action of Batch knows no resources.",
};

/** Finds a job by its name. */
export const LIST_JOBS: Permission = {
  actions: ["batch:ListJobs"],
  resources: ["*"],
  wildcard: "This action of Batch knows no resources.",
};

function below(bucket: Pick<IBucket, "arnForObjects">, prefixes: readonly string[]): string[] {
  return (prefixes.length === 0 ? [""] : prefixes).map((prefix) => bucket.arnForObjects(`${prefix}*`));
}
