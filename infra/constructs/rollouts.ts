import { join } from "node:path";
import { DockerImageAsset, Platform } from "aws-cdk-lib/aws-ecr-assets";
import { type IRole, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import type { Deployment } from "../../shared/contracts/deployment-files.ts";
import { rolloutQueueName } from "../../shared/contracts/names.ts";
import { permitRegistryLogin } from "./batch-instances.ts";
import type { BatchNetwork } from "./batch-network.ts";
import type { JobImage } from "./job-definition.ts";
import { logGroup } from "./log-group.ts";
import { output } from "./output.ts";
import { gpuRolloutJob } from "./rollout-gpu-job.ts";
import { rolloutJob } from "./rollout-job.ts";
import { rolloutInstances, rolloutQueue } from "./rollout-machines.ts";
import { rolloutRole } from "./rollout-role.ts";

export interface RolloutsProps {
  readonly deployment: Deployment;
  readonly image: JobImage;
  readonly network: BatchNetwork;
}

/**
 * Jobs that run what agents do in sandboxes, with all that they use: instances, queues, roles and logs of their own,
 * which nothing else shares. A job holds the Docker socket of its instance, and so is root there (SECURITY.md).
 */
export function rollouts(stack: Construct, { deployment, image, network }: RolloutsProps): void {
  const { config } = deployment;
  if (config.batch.rollouts === undefined) return;
  const { gpu } = config.batch.rollouts;
  const scope = new Construct(stack, "Rollouts");
  const asset = new DockerImageAsset(scope, "Image", {
    directory: image.folder,
    file: image.dockerfile,
    platform: Platform.LINUX_AMD64,
    displayName: "Gymline job",
  });
  const sandbox = new DockerImageAsset(scope, "SandboxImage", {
    directory: join(image.folder, image.sandbox),
    platform: Platform.LINUX_AMD64,
    displayName: "Gymline sandbox",
  });
  const instances = rolloutInstances(scope, { config: config.batch.rollouts, sandbox });
  const logs = logGroup(scope, { name: `/gymline/${config.name}/rollouts`, config });
  const executionRole = new Role(scope, "ExecutionRole", {
    assumedBy: new ServicePrincipal("ecs-tasks.amazonaws.com"),
    description: "ECS starts the containers of rollouts",
  });
  // Whether the agent pulls and logs with its own role or the job's depends on its version: both may.
  const roles: readonly IRole[] = [executionRole, instances.instanceRole];
  for (const role of roles) {
    permitRegistryLogin(role);
    asset.repository.grantPull(role);
    logs.grantWrite(role);
  }
  const parts = { deployment, asset, logs, executionRole, jobRole: rolloutRole(scope, config) };
  const fleet = { config, network, ...instances };
  rolloutQueue(scope, { ...fleet, machine: "cpu" });
  rolloutJob(scope, { ...parts, rollouts: config.batch.rollouts });
  output(stack, "RolloutQueueName", rolloutQueueName(config.name, "cpu"));
  if (gpu === undefined) return;
  rolloutQueue(scope, { ...fleet, machine: "gpu" });
  gpuRolloutJob(scope, { ...parts, rollouts: config.batch.rollouts, gpu });
  output(stack, "GpuRolloutQueueName", rolloutQueueName(config.name, "gpu"));
}
