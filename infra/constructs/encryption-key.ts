import { ArnFormat, Aws, RemovalPolicy, Stack } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";
import type { DeploymentConfig } from "../../shared/contracts/deployment-config.ts";
import { keyAlias } from "../../shared/contracts/names.ts";
import { KEY_ACTIONS } from "./permit.ts";

/** The deployment's own key, usable by the services that write to encrypted queues, topics and logs for it. */
export function encryptionKey(scope: Construct, config: DeploymentConfig): Key | undefined {
  if (!config.kms) return undefined;
  const key = new Key(scope, "Key", {
    alias: keyAlias(config.name),
    description: `Data of the Gymline deployment ${config.name}`,
    enableKeyRotation: true,
    removalPolicy: config.onDelete === "destroy" ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
  });
  const ownAccount = { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } };
  const use = ["kms:Decrypt", "kms:GenerateDataKey"];
  allow(key, { service: "s3", actions: use, conditions: ownAccount });
  allow(key, { service: "cloudwatch", actions: use, conditions: ownAccount });
  // EventBridge names no source account when it publishes to an encrypted topic.
  allow(key, { service: "events", actions: use });
  allow(key, {
    service: `logs.${Stack.of(scope).region}`,
    actions: KEY_ACTIONS,
    conditions: {
      ArnLike: {
        "kms:EncryptionContext:aws:logs:arn": Stack.of(scope).formatArn({
          service: "logs",
          resource: "log-group",
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
          resourceName: "*",
        }),
      },
    },
  });
  return key;
}

interface ServiceUse {
  readonly service: string;
  readonly actions: readonly string[];
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

function allow(key: Key, { service, actions, conditions }: ServiceUse): void {
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal(`${service}.amazonaws.com`)],
      actions: [...actions],
      // In a key's policy, `*` is the key itself.
      resources: ["*"],
      ...(conditions === undefined ? {} : { conditions }),
    }),
  );
}
