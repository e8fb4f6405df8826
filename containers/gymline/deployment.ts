import { existsSync, readFileSync } from "node:fs";
import type { Command } from "commander";
import type { DeployedResources, StageQueues } from "../../shared/adapters/aws/find-deployment.ts";
import type { OperatorClients } from "../../shared/adapters/aws/operator-clients.ts";
import { STAGES, type StageName } from "../../shared/contracts/deployment-config.ts";
import {
  DEPLOYMENT_CONFIG_NAME,
  type Deployment,
  readDeployment,
} from "../../shared/contracts/deployment-files.ts";
import { UsageError } from "./usage-error.ts";

/** Option of commands that work on a deployment. */
export interface DeploymentOption {
  readonly deployment?: string;
}

export function deploymentOption(command: Command): Command {
  return command.option(
    "--deployment <name>",
    `name of the deployment (default: the one in ./${DEPLOYMENT_CONFIG_NAME}, else gymline)`,
  );
}

/** The deployment that a `gymline.deploy.json` describes. @throws DeploymentConfigError */
export function deploymentFile(path: string | undefined): Deployment {
  const place = { folder: process.cwd(), ...(path === undefined ? {} : { path }) };
  return readDeployment(place, {
    read: (file) => readFileSync(file, "utf8"),
    bytes: (file) => readFileSync(file),
    exists: existsSync,
  });
}

/** Finds the deployment and works on it. @throws DeploymentError, AwsAccessError and what `work` throws */
export async function inDeployment<T>(
  options: DeploymentOption,
  work: (deployment: DeployedResources, clients: OperatorClients) => Promise<T>,
): Promise<T> {
  // A deployment that is named may be any; that of the file is where the file says.
  const { name, region } =
    options.deployment === undefined
      ? deploymentFile(undefined).config
      : { name: options.deployment, region: undefined };
  // The clients of AWS take a moment to load, which `gymline --help` need not wait for.
  const [{ operatorClients }, { findDeployment }, { explained }] = await Promise.all([
    import("../../shared/adapters/aws/operator-clients.ts"),
    import("../../shared/adapters/aws/find-deployment.ts"),
    import("../../shared/adapters/aws/account-fault.ts"),
  ]);
  const clients = operatorClients({
    ...process.env,
    ...(region === undefined ? {} : { AWS_REGION: region }),
  });
  try {
    const found = await findDeployment(name, await clients.cloudFormation());
    return await work(found, clients);
  } catch (error) {
    throw explained(`the deployment "${name}" did not do what was asked`, error);
  } finally {
    await clients.close();
  }
}

/** @throws UsageError */
export function stageNamed(text: string): StageName {
  const names: readonly StageName[] = [...STAGES, "loop"];
  const found = names.find((stage) => stage === text);
  if (found === undefined) throw new UsageError(`there is no stage "${text}": give ${names.join(", ")}`);
  return found;
}

/** @throws UsageError where the stage is the loop's, and the deployment has none */
export function queuesOf({ name, queues, loop }: DeployedResources, stage: StageName): StageQueues {
  if (stage !== "loop") return queues[stage];
  if (loop !== undefined) return loop;
  throw new UsageError(
    `the deployment "${name}" has no loop: give gymline.deploy.json the key loop, and deploy`,
  );
}

/** A whole number of at least 1. @throws UsageError */
export function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new UsageError(`${option} takes a whole number of at least 1, not "${text}"`);
}
