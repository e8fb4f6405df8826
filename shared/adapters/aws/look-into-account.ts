import type { DeploymentConfig } from "../../contracts/deployment-config.ts";
import { dropBucketName, pipelineStackName, storeBucketName } from "../../contracts/names.ts";
import type { AccountFacts, BucketState, Fact, VcpuQuotas } from "../../operations/account-facts.ts";
import { accountFault } from "./account-fault.ts";
import { describeStack } from "./find-deployment.ts";
import type { OperatorClients } from "./operator-clients.ts";
import { serviceFault } from "./service-fault.ts";

/** Codes of EC2's quotas for running vCPUs (Service Quotas, service code `ec2`). */
const STANDARD = { spot: "L-34B43A08", onDemand: "L-1216C47A" };
const GRAPHICS = { spot: "L-3819A6DF", onDemand: "L-DB2E81BA" };
const ACCELERATED = { spot: "L-7212CCBC", onDemand: "L-417A185B" };

/** Looks up what a deployment would meet. Changes nothing; what cannot be looked up is said to be unknown. */
export async function lookIntoAccount(
  config: DeploymentConfig,
  clients: OperatorClients,
): Promise<AccountFacts> {
  const identity = await fact(() => whoAmI(clients));
  const account = identity.kind === "known" ? identity.value.account : config.account;
  const region = identity.kind === "known" ? identity.value.region : config.region;
  const place =
    account === undefined || region === undefined ? undefined : { name: config.name, account, region };
  const names = place === undefined ? [] : [dropBucketName(place), storeBucketName(place)];
  const buckets = names.map(async (name) => ({
    name,
    state: await fact(() => bucketState(name, { account, clients })),
  }));
  const cloudFormation = await clients.cloudFormation();
  const status = async (): Promise<string | null> =>
    (await describeStack(pipelineStackName(config.name), cloudFormation))?.StackStatus ?? null;
  return {
    identity,
    stack: await fact(status),
    bootstrap: await fact(async () => {
      const found = await describeStack("CDKToolkit", cloudFormation);
      const output = found?.Outputs?.find(({ OutputKey }) => OutputKey === "BootstrapVersion");
      return output?.OutputValue === undefined ? null : Number(output.OutputValue);
    }),
    buckets: await Promise.all(buckets),
    concurrency: await fact(() => concurrency(clients)),
    machines: await quotas(STANDARD, clients),
    gpuMachines:
      config.batch.gpu.maxVcpus === 0 ? undefined : await quotas(gpuCodes(config.batch.gpu), clients),
  };
}

async function fact<T>(look: () => Promise<T>): Promise<Fact<T>> {
  try {
    return { kind: "known", value: await look() };
  } catch (error) {
    const { reason, remedy } = accountFault(error);
    return { kind: "unknown", reason, remedy };
  }
}

async function whoAmI(
  clients: OperatorClients,
): Promise<{ readonly account: string; readonly region: string }> {
  const { GetCallerIdentityCommand } = await import("@aws-sdk/client-sts");
  const client = await clients.sts();
  const { Account = "" } = await client.send(new GetCallerIdentityCommand({}));
  return { account: Account, region: await client.config.region() };
}

async function bucketState(
  bucket: string,
  { account, clients }: { readonly account: string | undefined; readonly clients: OperatorClients },
): Promise<BucketState> {
  const { HeadBucketCommand } = await import("@aws-sdk/client-s3");
  const client = await clients.s3();
  const owner = account === undefined ? {} : { ExpectedBucketOwner: account };
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket, ...owner }));
    return "ours";
  } catch (error) {
    const { status } = serviceFault(error);
    if (status === 404) return "free";
    if (status === 403) return "taken";
    if (status === 301) return "elsewhere";
    throw error;
  }
}

async function concurrency(
  clients: OperatorClients,
): Promise<{ readonly limit: number; readonly unreserved: number }> {
  const { GetAccountSettingsCommand } = await import("@aws-sdk/client-lambda");
  const { AccountLimit } = await (await clients.lambda()).send(new GetAccountSettingsCommand({}));
  const limit = AccountLimit?.ConcurrentExecutions ?? 0;
  return { limit, unreserved: AccountLimit?.UnreservedConcurrentExecutions ?? limit };
}

async function vcpuQuota(code: string, clients: OperatorClients): Promise<number> {
  const { GetServiceQuotaCommand } = await import("@aws-sdk/client-service-quotas");
  const client = await clients.serviceQuotas();
  const { Quota } = await client.send(new GetServiceQuotaCommand({ ServiceCode: "ec2", QuotaCode: code }));
  if (Quota?.Value === undefined) throw new QuotaUnknownError(`Service Quotas says nothing of ${code}`);
  return Quota.Value;
}

class QuotaUnknownError extends Error {
  override readonly name = "QuotaUnknownError";
}

/** The family of an instance type is its first letter; each has a quota of its own. */
function gpuCodes({ instanceTypes }: DeploymentConfig["batch"]["gpu"]): typeof STANDARD | undefined {
  const families = new Set(instanceTypes.map((type) => type.charAt(0)));
  if (families.size !== 1) return undefined;
  if (families.has("g")) return GRAPHICS;
  return families.has("p") ? ACCELERATED : undefined;
}

async function quotas(codes: typeof STANDARD | undefined, clients: OperatorClients): Promise<VcpuQuotas> {
  if (codes === undefined) return { spot: SEVERAL_FAMILIES, onDemand: SEVERAL_FAMILIES };
  return {
    spot: await fact(() => vcpuQuota(codes.spot, clients)),
    onDemand: await fact(() => vcpuQuota(codes.onDemand, clients)),
  };
}

const SEVERAL_FAMILIES = {
  kind: "unknown",
  reason: "the instance types are of several families, or of one whose quota is not known here",
  remedy: "look it up in the Service Quotas console (EC2)",
} as const;
