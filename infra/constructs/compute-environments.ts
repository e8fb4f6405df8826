import { Duration } from "aws-cdk-lib";
import {
  AllocationStrategy,
  CfnComputeEnvironment,
  EcsMachineImageType,
  JobQueue,
  JobStateTimeLimitActionsReason,
  ManagedEc2EcsComputeEnvironment,
} from "aws-cdk-lib/aws-batch";
import { InstanceClass, InstanceType, type LaunchTemplate } from "aws-cdk-lib/aws-ec2";
import type { IRole } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { DeploymentConfig } from "../../shared/contracts/deployment-config.ts";
import { jobQueueName } from "../../shared/contracts/names.ts";
import type { BatchNetwork } from "./batch-network.ts";

export interface FleetProps {
  readonly config: DeploymentConfig;
  readonly network: BatchNetwork;
  readonly launchTemplate: LaunchTemplate;
  readonly instanceRole: IRole;
}

/**
 * Many families make interruptions of Spot rare. All are x86-64, like the GPU instances and like nearly every image
 * that agents are benchmarked in: one job image serves both queues and is built without emulation on most machines.
 */
export const CPU_CLASSES = [
  InstanceClass.C7I,
  InstanceClass.M7I,
  InstanceClass.C7A,
  InstanceClass.M7A,
  InstanceClass.C6I,
  InstanceClass.M6I,
  InstanceClass.C6A,
  InstanceClass.M6A,
];

/** Spot first, on demand where Spot has nothing or is full. Both go down to no instance at all. */
export function cpuQueue(scope: Construct, fleet: FleetProps): JobQueue {
  const { config } = fleet;
  const machines = {
    instanceClasses: CPU_CLASSES,
    useOptimalInstanceClasses: false,
    maxvCpus: config.batch.maxVcpus,
    images: [{ imageType: EcsMachineImageType.ECS_AL2023 }],
  };
  const environments = [
    environment(scope, { ...fleet, id: "CpuSpot", spot: true, machines }),
    environment(scope, { ...fleet, id: "CpuOnDemand", spot: false, machines }),
  ];
  return queueOf(scope, { id: "CpuQueue", name: jobQueueName(config.name, "cpu"), environments });
}

/** Undefined where the configuration allows no GPU. */
export function gpuQueue(scope: Construct, fleet: FleetProps): JobQueue | undefined {
  const { config } = fleet;
  const { gpu } = config.batch;
  if (gpu.maxVcpus === 0) return undefined;
  const machines = {
    instanceTypes: gpu.instanceTypes.map((name) => new InstanceType(name)),
    useOptimalInstanceClasses: false,
    maxvCpus: gpu.maxVcpus,
    images: [{ imageType: EcsMachineImageType.ECS_AL2023_NVIDIA }],
  };
  const environments = [
    ...(gpu.spot ? [environment(scope, { ...fleet, id: "GpuSpot", spot: true, machines })] : []),
    environment(scope, { ...fleet, id: "GpuOnDemand", spot: false, machines }),
  ];
  return queueOf(scope, { id: "GpuQueue", name: jobQueueName(config.name, "gpu"), environments });
}

export interface Machines {
  readonly instanceClasses?: InstanceClass[];
  readonly instanceTypes?: InstanceType[];
  readonly useOptimalInstanceClasses: boolean;
  readonly maxvCpus: number;
  readonly images: { imageType: EcsMachineImageType }[];
}

/** Instances that Batch starts when there are jobs, and none otherwise. */
export function environment(
  scope: Construct,
  props: FleetProps & { readonly id: string; readonly spot: boolean; readonly machines: Machines },
): ManagedEc2EcsComputeEnvironment {
  const { network, launchTemplate, instanceRole, id, spot, machines } = props;
  const made = new ManagedEc2EcsComputeEnvironment(scope, id, {
    ...machines,
    vpc: network.vpc,
    vpcSubnets: { subnets: [...network.subnets] },
    securityGroups: [...network.securityGroups],
    launchTemplate,
    instanceRole,
    spot,
    allocationStrategy: spot
      ? AllocationStrategy.SPOT_PRICE_CAPACITY_OPTIMIZED
      : AllocationStrategy.BEST_FIT_PROGRESSIVE,
    minvCpus: 0,
    // Each deployment brings the newest machine image; jobs that run are left to end.
    updateToLatestImageVersion: true,
    terminateOnUpdate: false,
  });
  // Unless a version is named, Batch stays with the template's first one for ever.
  if (made.node.defaultChild instanceof CfnComputeEnvironment) {
    made.node.defaultChild.addPropertyOverride(
      "ComputeResources.LaunchTemplate.Version",
      launchTemplate.latestVersionNumber,
    );
  }
  return made;
}

/** A queue over compute environments, the preferred first. */
export function queueOf(
  scope: Construct,
  {
    id,
    name,
    environments,
  }: {
    readonly id: string;
    readonly name: string;
    readonly environments: readonly ManagedEc2EcsComputeEnvironment[];
  },
): JobQueue {
  return new JobQueue(scope, id, {
    jobQueueName: name,
    priority: 1,
    computeEnvironments: environments.map((computeEnvironment, index) => ({
      computeEnvironment,
      order: index + 1,
    })),
    // A job that no instance can ever hold would block those behind it for ever, and silently.
    jobStateTimeLimitActions: [
      JobStateTimeLimitActionsReason.JOB_RESOURCE_REQUIREMENT,
      JobStateTimeLimitActionsReason.COMPUTE_ENVIRONMENT_MAX_RESOURCE,
    ].map((reason) => ({ reason, maxTime: Duration.hours(1) })),
  });
}
