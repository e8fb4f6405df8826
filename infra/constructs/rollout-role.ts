import { Arn, ArnFormat, Aws, Stack } from "aws-cdk-lib";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Bucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import type { DeploymentConfig } from "../../shared/contracts/deployment-config.ts";
import { dropBucketName, modelSecretName, storeBucketName } from "../../shared/contracts/names.ts";
import { useKeyByAlias } from "./job-role.ts";
import { permit } from "./permit.ts";
import { deleteObjects, listBucket, readObjects, readSecret, writeObjects } from "./rights.ts";

/** Where rollouts drop their logs, in whichever project. */
const DROPPED = "*/rollouts/";

/**
 * What a job of a rollout may do: read its plan, keep its ledger, drop logs, and ask models. It stands nearest to what
 * nobody has looked at, so it reaches neither trajectories nor datasets, no catalog and no queue, and of the drop
 * bucket only what rollouts dropped.
 */
export function rolloutRole(scope: Construct, config: DeploymentConfig): Role {
  const role = new Role(scope, "JobRole", {
    assumedBy: new ServicePrincipal("ecs-tasks.amazonaws.com"),
    description: "Jobs of rollouts",
  });
  const place = { name: config.name, account: Aws.ACCOUNT_ID, region: Aws.REGION };
  const drop = Bucket.fromBucketName(scope, "Drop", dropBucketName(place));
  const store = Bucket.fromBucketName(scope, "Store", storeBucketName(place));
  const stack = Stack.of(scope);
  const readsModels = config.batch.rollouts?.models === true || config.loop.length > 0;
  permit(
    role,
    readObjects(store, "rollouts/"),
    writeObjects(store, "rollouts/"),
    deleteObjects(store, "rollouts/"),
    ...(readsModels ? [readObjects(store, "models/")] : []),
    listBucket(store),
    readObjects(drop, DROPPED),
    writeObjects(drop, DROPPED),
    listBucket(drop),
    readSecret({
      // Secrets Manager ends the ARN with six characters of its own.
      secretArn: Arn.format(
        {
          service: "secretsmanager",
          resource: "secret",
          resourceName: `${modelSecretName(config.name)}-??????`,
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        },
        stack,
      ),
    }),
    ...(config.kms
      ? [
          useKeyByAlias(
            Arn.format({ service: "kms", resource: "key", resourceName: "*" }, stack),
            config.name,
          ),
        ]
      : []),
  );
  return role;
}
