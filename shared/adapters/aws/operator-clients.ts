import type { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import type { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import type { ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import type { STSClient } from "@aws-sdk/client-sts";
import { type AwsClients, awsClients } from "./aws-clients.ts";
import { ClientMaker, type ClientOptions, type Environment } from "./client-maker.ts";

/** Clients of the people who look after a deployment: those of the pipeline, and what functions need not carry. */
export interface OperatorClients extends AwsClients {
  cloudFormation(): Promise<CloudFormationClient>;
  cloudWatch(): Promise<CloudWatchClient>;
  lambda(): Promise<LambdaClient>;
  serviceQuotas(): Promise<ServiceQuotasClient>;
  sts(): Promise<STSClient>;
}

export function operatorClients(
  environment: Environment = process.env,
  options: ClientOptions = {},
): OperatorClients {
  const maker = new ClientMaker(environment, options);
  return {
    ...awsClients(environment, options, maker),
    cloudFormation: maker.once("CLOUDFORMATION", async (settings) => {
      const { CloudFormationClient } = await import("@aws-sdk/client-cloudformation");
      return new CloudFormationClient(settings);
    }),
    cloudWatch: maker.once("CLOUDWATCH", async (settings) => {
      const { CloudWatchClient } = await import("@aws-sdk/client-cloudwatch");
      return new CloudWatchClient(settings);
    }),
    lambda: maker.once("LAMBDA", async (settings) => {
      const { LambdaClient } = await import("@aws-sdk/client-lambda");
      return new LambdaClient(settings);
    }),
    serviceQuotas: maker.once("SERVICE_QUOTAS", async (settings) => {
      const { ServiceQuotasClient } = await import("@aws-sdk/client-service-quotas");
      return new ServiceQuotasClient(settings);
    }),
    sts: maker.once("STS", async (settings) => {
      const { STSClient } = await import("@aws-sdk/client-sts");
      return new STSClient(settings);
    }),
  };
}
