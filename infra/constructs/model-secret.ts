import { RemovalPolicy, SecretValue } from "aws-cdk-lib";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import type { Construct } from "constructs";
import type { DeploymentConfig } from "../../shared/contracts/deployment-config.ts";
import { modelSecretName } from "../../shared/contracts/names.ts";
import { acceptRule } from "./accept-rule.ts";

/**
 * Where keys of model providers are kept: an empty form that is filled in by hand. Only a stage that calls a model is
 * given the right to read it, where the stage is made.
 */
export function modelSecret(
  scope: Construct,
  { config, key }: { readonly config: DeploymentConfig; readonly key?: IKey | undefined },
): Secret {
  const blank = SecretValue.unsafePlainText("");
  const secret = new Secret(scope, "ModelSecret", {
    secretName: modelSecretName(config.name),
    description: "Keys of model providers for Gymline; fill in those that you use",
    // Later deployments leave what was filled in: CloudFormation writes the value only where the template's changes.
    secretObjectValue: { ANTHROPIC_API_KEY: blank, OPENAI_API_KEY: blank },
    removalPolicy: config.onDelete === "destroy" ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN,
    ...(key === undefined ? {} : { encryptionKey: key }),
  });
  acceptRule(secret, {
    id: "AwsSolutions-SMG4",
    reason: "Keys of model providers can only be changed at the provider, so nothing here could rotate them.",
  });
  return secret;
}
