import { Aws, Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  CfnBucket,
  type LifecycleRule,
} from "aws-cdk-lib/aws-s3";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import type { DeploymentConfig } from "../../shared/contracts/deployment-config.ts";
import { dropBucketName, storeBucketName } from "../../shared/contracts/names.ts";
import { acceptRule } from "./accept-rule.ts";

export interface BucketProps {
  readonly config: DeploymentConfig;
  readonly key?: IKey | undefined;
}

/** The store keeps older versions for a while: what was overwritten or removed by mistake can be had back. */
export function storeBucket(scope: Construct, { config, key }: BucketProps): Bucket {
  const bucket = new Bucket(scope, "StoreBucket", {
    ...safeBucket({ config, key }),
    bucketName: storeBucketName({ name: config.name, account: Aws.ACCOUNT_ID, region: Aws.REGION }),
    versioned: true,
    lifecycleRules: [
      ABANDONED_UPLOADS,
      { id: "older-versions", noncurrentVersionExpiration: Duration.days(config.storeVersionDays) },
      // Checkpoints are large and many. A run removes its own when it is done; those of a failed one wait for a while.
      {
        id: "trainings",
        prefix: "trainings/",
        expiration: Duration.days(30),
        noncurrentVersionExpiration: Duration.days(1),
      },
      { id: "delete-markers", expiredObjectDeleteMarker: true },
    ],
  });
  acceptAccessLogs(bucket);
  return bucket;
}

/**
 * The drop bucket tells the queue of each new object, by the bucket's own notification rather than a custom resource.
 * It keeps no older versions: what a user takes out of it is gone.
 */
export function dropBucket(
  scope: Construct,
  { config, key, queue }: BucketProps & { readonly queue: Queue },
): Bucket {
  const bucketName = dropBucketName({ name: config.name, account: Aws.ACCOUNT_ID, region: Aws.REGION });
  const bucket = new Bucket(scope, "DropBucket", {
    ...safeBucket({ config, key }),
    bucketName,
    lifecycleRules: [
      ABANDONED_UPLOADS,
      ...(config.dropExpiryDays === 0
        ? []
        : [{ id: "expire", expiration: Duration.days(config.dropExpiryDays) }]),
    ],
  });
  acceptAccessLogs(bucket);
  notify({ bucket, bucketName, queue });
  return bucket;
}

/**
 * S3 asks the queue for permission when the bucket is made, so the policy comes first. It names the bucket by its name
 * alone: a reference to the bucket would be a circle.
 */
function notify({
  bucket,
  bucketName,
  queue,
}: {
  readonly bucket: Bucket;
  readonly bucketName: string;
  readonly queue: Queue;
}): void {
  const { policyDependable } = queue.addToResourcePolicy(
    new PolicyStatement({
      sid: "DropNotifications",
      principals: [new ServicePrincipal("s3.amazonaws.com")],
      actions: ["sqs:SendMessage"],
      resources: [queue.queueArn],
      conditions: {
        StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID },
        ArnLike: {
          "aws:SourceArn": Stack.of(bucket).formatArn({
            service: "s3",
            resource: bucketName,
            region: "",
            account: "",
          }),
        },
      },
    }),
  );
  if (policyDependable !== undefined) bucket.node.addDependency(policyDependable);
  const resource = bucket.node.defaultChild;
  if (resource instanceof CfnBucket) {
    resource.notificationConfiguration = {
      queueConfigurations: [{ event: "s3:ObjectCreated:*", queue: queue.queueArn }],
    };
  }
}

const ABANDONED_UPLOADS: LifecycleRule = {
  id: "abandoned-uploads",
  abortIncompleteMultipartUploadAfter: Duration.days(3),
};

function safeBucket({ config, key }: BucketProps) {
  return {
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    removalPolicy: config.onDelete === "destroy" ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
    ...(key === undefined
      ? { encryption: BucketEncryption.S3_MANAGED }
      : { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }),
  };
}

function acceptAccessLogs(bucket: Bucket): void {
  acceptRule(bucket, {
    id: "AwsSolutions-S1",
    reason:
      "Access logs would be a third bucket that nobody reads. Who needs a record of reads turns on CloudTrail data events, which also cover the functions (docs/DEPLOYMENT.md).",
  });
}
