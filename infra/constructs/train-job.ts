import { Arn, Aws, Duration, Size, Stack } from "aws-cdk-lib";
import {
  Action,
  EcsEc2ContainerDefinition,
  EcsJobDefinition,
  EcsVolume,
  LinuxParameters,
  Reason,
  RetryStrategy,
} from "aws-cdk-lib/aws-batch";
import { DockerImageAsset, Platform } from "aws-cdk-lib/aws-ecr-assets";
import { ContainerImage, LogDriver } from "aws-cdk-lib/aws-ecs";
import { type IRole, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Bucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import type { DeploymentConfig } from "../../shared/contracts/deployment-config.ts";
import { storeBucketName, trainingJobDefinitionName } from "../../shared/contracts/names.ts";
import { permitRegistryLogin } from "./batch-instances.ts";
import { commitVariable } from "./fixed-environment.ts";
import type { BuiltImage } from "./job-definition.ts";
import { useKeyByAlias } from "./job-role.ts";
import { logGroup } from "./log-group.ts";
import { permit } from "./permit.ts";
import { deleteObjects, listBucket, readObjects, writeObjects } from "./rights.ts";

export interface TrainJobProps {
  readonly config: DeploymentConfig;
  readonly training: NonNullable<DeploymentConfig["batch"]["training"]>;
  readonly image: BuiltImage;
  readonly instanceRole: IRole;
}

/** Trains a model on GPUs: `containers/trainer/job.py`, whose one argument is a plan in the store. */
export class TrainJob extends Construct {
  constructor(scope: Construct, id: string, props: TrainJobProps) {
    super(scope, id);
    const { config, training, image, instanceRole } = props;
    const logs = logGroup(this, { name: `/gymline/${config.name}/trainings`, config });
    const asset = new DockerImageAsset(this, "Image", {
      directory: image.folder,
      file: image.dockerfile,
      platform: Platform.LINUX_AMD64,
      displayName: "Gymline trainer",
    });
    const executionRole = new Role(this, "ExecutionRole", {
      assumedBy: new ServicePrincipal("ecs-tasks.amazonaws.com"),
      description: "ECS starts the containers of training jobs",
    });
    // Whether the agent pulls and logs with its own role or the job's depends on its version: both may.
    for (const role of [executionRole, instanceRole]) {
      permitRegistryLogin(role);
      asset.repository.grantPull(role);
      logs.grantWrite(role);
    }
    const container = new EcsEc2ContainerDefinition(this, "Container", {
      image: ContainerImage.fromDockerImageAsset(asset),
      command: ["--help"],
      cpu: training.vcpus,
      memory: Size.mebibytes(training.memoryMiB),
      gpu: training.gpus,
      // The client of Python knows the second alone.
      environment: {
        AWS_REGION: Aws.REGION,
        AWS_DEFAULT_REGION: Aws.REGION,
        GYMLINE_TRAINER_PROCESSES: String(training.gpus),
        // The image holds no repository that would tell it to the model's card.
        ...commitVariable(this),
      },
      jobRole: trainerRole(this, config),
      executionRole,
      user: "1000:1000",
      readonlyRootFilesystem: true,
      // Docker makes the volume with the rights of the image's own /tmp, on the instance's disk, and drops it after.
      volumes: [EcsVolume.host({ name: "tmp", containerPath: "/tmp" })],
      linuxParameters: new LinuxParameters(this, "LinuxParameters", {
        initProcessEnabled: true,
        sharedMemorySize: Size.mebibytes(training.sharedMemoryMiB),
      }),
      logging: LogDriver.awsLogs({ logGroup: logs, streamPrefix: "train" }),
    });
    new EcsJobDefinition(this, "Definition", {
      jobDefinitionName: trainingJobDefinitionName(config.name),
      container,
      timeout: Duration.minutes(training.timeoutMinutes),
      retryAttempts: training.attempts,
      retryStrategies: RETRIES,
      propagateTags: true,
    });
  }
}

/**
 * The first that fits decides, and there may be five. What fits none is tried again: an image that could not be pulled,
 * a container that could not start. A run goes on from its newest checkpoint, so another try costs little.
 */
const RETRIES = [
  RetryStrategy.of(Action.RETRY, Reason.SPOT_INSTANCE_RECLAIMED),
  // Exit code of a run that was told to stop and has saved.
  RetryStrategy.of(Action.RETRY, Reason.custom({ onExitCode: "75" })),
  // It would take as much memory the next time.
  RetryStrategy.of(Action.EXIT, Reason.custom({ onReason: "OutOfMemoryError*" })),
  // Exit codes of a run that would fail again, and of a command line that no script takes.
  RetryStrategy.of(Action.EXIT, Reason.custom({ onExitCode: "1" })),
  RetryStrategy.of(Action.EXIT, Reason.custom({ onExitCode: "2" })),
];

/** Reads datasets and models, writes models, and has a place for plans and checkpoints. Nothing else of the store. */
function trainerRole(scope: Construct, config: DeploymentConfig): Role {
  const role = new Role(scope, "JobRole", {
    assumedBy: new ServicePrincipal("ecs-tasks.amazonaws.com"),
    description: "Jobs that train models",
  });
  const bucketName = storeBucketName({ name: config.name, account: Aws.ACCOUNT_ID, region: Aws.REGION });
  const store = Bucket.fromBucketName(scope, "Store", bucketName);
  const keys = Arn.format({ service: "kms", resource: "key", resourceName: "*" }, Stack.of(scope));
  permit(
    role,
    readObjects(store, "datasets/", "models/", "trainings/"),
    writeObjects(store, "models/", "trainings/"),
    deleteObjects(store, "trainings/"),
    listBucket(store),
    ...(config.kms ? [useKeyByAlias(keys, config.name)] : []),
  );
  return role;
}
