import { RemovalPolicy } from "aws-cdk-lib";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import type { DeploymentConfig } from "../../shared/contracts/deployment-config.ts";

const RETENTION: Readonly<Record<DeploymentConfig["logRetentionDays"], RetentionDays>> = {
  "7": RetentionDays.ONE_WEEK,
  "14": RetentionDays.TWO_WEEKS,
  "30": RetentionDays.ONE_MONTH,
  "60": RetentionDays.TWO_MONTHS,
  "90": RetentionDays.THREE_MONTHS,
  "180": RetentionDays.SIX_MONTHS,
  "365": RetentionDays.ONE_YEAR,
};

/** A log group that forgets after the configured time and goes with its stack: its name would block the next one. */
export function logGroup(
  scope: Construct,
  {
    name,
    config,
    key,
  }: { readonly name: string; readonly config: DeploymentConfig; readonly key?: IKey | undefined },
): LogGroup {
  return new LogGroup(scope, "Logs", {
    logGroupName: name,
    retention: RETENTION[config.logRetentionDays],
    removalPolicy: RemovalPolicy.DESTROY,
    ...(key === undefined ? {} : { encryptionKey: key }),
  });
}
