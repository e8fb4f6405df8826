import { HeadBucketCommand, type S3Client } from "@aws-sdk/client-s3";
import { AwsAccessError, accountFault } from "../../shared/adapters/aws/account-fault.ts";
import { findDeployment } from "../../shared/adapters/aws/find-deployment.ts";
import type { OperatorClients } from "../../shared/adapters/aws/operator-clients.ts";
import { serviceFault } from "../../shared/adapters/aws/service-fault.ts";
import { UsageError } from "./usage-error.ts";

/** Name of a deployment whose configuration gives none. */
export const DEFAULT_DEPLOYMENT = "gymline";

/** The bucket that was named, or that of a deployment. @throws UsageError, DeploymentError, AwsAccessError */
export async function dropBucket(
  options: { readonly bucket?: string; readonly deployment?: string },
  clients: OperatorClients,
): Promise<string> {
  const { bucket, deployment } = options;
  if (bucket === undefined) {
    const found = await findDeployment(deployment ?? DEFAULT_DEPLOYMENT, await clients.cloudFormation());
    return found.dropBucket;
  }
  if (deployment !== undefined) throw new UsageError("give either --bucket or --deployment, not both");
  await lookAt(bucket, await clients.s3());
  return bucket;
}

/** A name that was typed may be wrong; that of a deployment is not. */
async function lookAt(bucket: string, client: S3Client): Promise<void> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
  } catch (error) {
    const { status } = serviceFault(error);
    if (status === 404)
      throw new UsageError(`there is no bucket ${bucket}; check the name given to --bucket`, {
        cause: error,
      });
    if (status === 301 || status === 400) {
      throw new UsageError(`the bucket ${bucket} is not in this region; set AWS_REGION to its own`, {
        cause: error,
      });
    }
    // Who may only write into a bucket may not look at it.
    if (status === 403) return;
    throw new AwsAccessError(`the bucket ${bucket} cannot be looked up`, accountFault(error), error);
  }
}
