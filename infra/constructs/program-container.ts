import type { Size } from "aws-cdk-lib";
import { EcsEc2ContainerDefinition, EcsVolume, LinuxParameters } from "aws-cdk-lib/aws-batch";
import { DockerImageAsset, Platform } from "aws-cdk-lib/aws-ecr-assets";
import { ContainerImage, LogDriver } from "aws-cdk-lib/aws-ecs";
import { type IRole, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { permitRegistryLogin } from "./batch-instances.ts";

/** What an image is built of. `.dockerignore` of the folder decides what is sent. */
export interface BuiltImage {
  readonly folder: string;
  /** Relative to the folder. */
  readonly dockerfile: string;
}

export interface ProgramContainerProps {
  readonly image: BuiltImage;
  readonly imageName: string;
  /** What ECS starts containers for, in the words of the role that it does so with. */
  readonly purpose: string;
  readonly logs: ILogGroup;
  readonly logPrefix: string;
  readonly jobRole: IRole;
  readonly instanceRole: IRole;
  readonly cpu: number;
  readonly memory: Size;
  readonly gpu?: number;
  readonly sharedMemory?: Size;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * A program of this project in its container, as an ordinary user who can write to /tmp alone. Its arguments are given
 * with each job: by itself it only prints its usage.
 */
export function programContainer(scope: Construct, props: ProgramContainerProps): EcsEc2ContainerDefinition {
  const { image, logs, jobRole, instanceRole, cpu, memory, gpu, sharedMemory } = props;
  const asset = new DockerImageAsset(scope, "Image", {
    directory: image.folder,
    file: image.dockerfile,
    platform: Platform.LINUX_AMD64,
    displayName: props.imageName,
  });
  const executionRole = new Role(scope, "ExecutionRole", {
    assumedBy: new ServicePrincipal("ecs-tasks.amazonaws.com"),
    description: `ECS starts the containers of ${props.purpose}`,
  });
  // Whether the agent pulls and logs with its own role or the job's depends on its version: both may.
  for (const role of [executionRole, instanceRole]) {
    permitRegistryLogin(role);
    asset.repository.grantPull(role);
    logs.grantWrite(role);
  }
  return new EcsEc2ContainerDefinition(scope, "Container", {
    image: ContainerImage.fromDockerImageAsset(asset),
    command: ["--help"],
    cpu,
    memory,
    ...(gpu === undefined ? {} : { gpu }),
    environment: { ...props.environment },
    jobRole,
    executionRole,
    user: "1000:1000",
    readonlyRootFilesystem: true,
    // Docker makes the volume with the rights of the image's own /tmp, on the instance's disk, and drops it after.
    volumes: [EcsVolume.host({ name: "tmp", containerPath: "/tmp" })],
    linuxParameters: new LinuxParameters(scope, "LinuxParameters", {
      initProcessEnabled: true,
      ...(sharedMemory === undefined ? {} : { sharedMemorySize: sharedMemory }),
    }),
    logging: LogDriver.awsLogs({ logGroup: logs, streamPrefix: props.logPrefix }),
  });
}
