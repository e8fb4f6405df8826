import { Aws, Duration, Size } from "aws-cdk-lib";
import {
  Action,
  EcsEc2ContainerDefinition,
  EcsJobDefinition,
  EcsVolume,
  LinuxParameters,
  Reason,
  RetryStrategy,
} from "aws-cdk-lib/aws-batch";
import type { DockerImageAsset } from "aws-cdk-lib/aws-ecr-assets";
import { ContainerImage, LogDriver } from "aws-cdk-lib/aws-ecs";
import type { IRole } from "aws-cdk-lib/aws-iam";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import type { RolloutsConfig } from "../../shared/contracts/deployment-config.ts";
import type { Deployment } from "../../shared/contracts/deployment-files.ts";
import {
  dropBucketName,
  modelSecretName,
  rolloutDefinitionName,
  storeBucketName,
} from "../../shared/contracts/names.ts";

export interface RolloutJobProps {
  readonly deployment: Deployment;
  readonly rollouts: RolloutsConfig;
  readonly asset: DockerImageAsset;
  readonly logs: ILogGroup;
  readonly jobRole: IRole;
  readonly executionRole: IRole;
}

/** On the host and in the job. */
export const DOCKER_SOCKET = "/var/run/docker.sock";

/**
 * Who may open the socket is root on the host, whatever it is in its container: root there gains nothing more, and
 * the group of the socket has another number on each machine image.
 */
export const SOCKET_USER = "0:0";

/** `gymline job rollout` on processors. */
export function rolloutJob(scope: Construct, props: RolloutJobProps): EcsJobDefinition {
  const { deployment, rollouts, asset, logs, jobRole, executionRole } = props;
  const { job } = rollouts;
  const size = rolloutSize(rollouts);
  const container = new EcsEc2ContainerDefinition(scope, "Container", {
    image: ContainerImage.fromDockerImageAsset(asset),
    command: ["--help"],
    cpu: size.vcpus,
    memory: Size.mebibytes(size.memoryMiB),
    environment: rolloutEnvironment(props),
    jobRole,
    executionRole,
    user: SOCKET_USER,
    readonlyRootFilesystem: true,
    volumes: [
      EcsVolume.host({ name: "tmp", containerPath: "/tmp" }),
      EcsVolume.host({ name: "docker", containerPath: DOCKER_SOCKET, hostPath: DOCKER_SOCKET }),
    ],
    linuxParameters: new LinuxParameters(scope, "LinuxParameters", { initProcessEnabled: true }),
    logging: LogDriver.awsLogs({ logGroup: logs, streamPrefix: "rollout" }),
  });
  return new EcsJobDefinition(scope, "JobDefinition", {
    jobDefinitionName: rolloutDefinitionName(deployment.config.name, "cpu"),
    container,
    timeout: Duration.minutes(job.timeoutMinutes),
    retryAttempts: job.attempts,
    retryStrategies: RETRIES,
    propagateTags: true,
  });
}

/** The job's own, and room for the sandboxes beside it, which Batch knows nothing of. */
export function rolloutSize({ job, sandbox, concurrency }: RolloutsConfig): {
  readonly vcpus: number;
  readonly memoryMiB: number;
} {
  return {
    vcpus: Math.ceil(job.vcpus + concurrency * sandbox.vcpus),
    memoryMiB: job.memoryMiB + concurrency * sandbox.memoryMiB,
  };
}

export function rolloutEnvironment({
  deployment,
  rollouts,
}: Pick<RolloutJobProps, "deployment" | "rollouts">): Record<string, string> {
  const { name } = deployment.config;
  const place = { name, account: Aws.ACCOUNT_ID, region: Aws.REGION };
  return {
    GYMLINE_DROP_BUCKET: dropBucketName(place),
    GYMLINE_STORE_BUCKET: storeBucketName(place),
    GYMLINE_MODEL_SECRET: modelSecretName(name),
    GYMLINE_ROLLOUT_CONCURRENCY: String(rollouts.concurrency),
    GYMLINE_SANDBOX_VCPUS: String(rollouts.sandbox.vcpus),
    GYMLINE_SANDBOX_MEMORY_MIB: String(rollouts.sandbox.memoryMiB),
  };
}

/** Exit codes of `gymline job rollout` (docs/ROLLOUTS.md). */
const STOPPED = "75";
const SOME_FAILED = "2";

/**
 * The first that fits decides, and what fits none is tried again: no episode that is done is done anew. Batch takes
 * five conditions.
 */
const RETRIES = [
  RetryStrategy.of(Action.RETRY, Reason.SPOT_INSTANCE_RECLAIMED),
  RetryStrategy.of(Action.RETRY, Reason.CANNOT_PULL_CONTAINER),
  RetryStrategy.of(Action.RETRY, Reason.custom({ onExitCode: STOPPED })),
  // It would take as much memory the next time.
  RetryStrategy.of(Action.EXIT, Reason.custom({ onReason: "OutOfMemoryError*" })),
  // Episodes that failed are recorded; whoever wants them tried again submits the rollout again.
  RetryStrategy.of(Action.EXIT, Reason.custom({ onExitCode: SOME_FAILED })),
];

/** The same, as the resource itself has it. */
export const RETRY_CONDITIONS = [
  { action: "RETRY", onStatusReason: "Host EC2*" },
  { action: "RETRY", onReason: "CannotPullContainerError:*" },
  { action: "RETRY", onExitCode: STOPPED },
  { action: "EXIT", onReason: "OutOfMemoryError*" },
  { action: "EXIT", onExitCode: SOME_FAILED },
] as const;
