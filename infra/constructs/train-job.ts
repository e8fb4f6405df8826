import { Arn, Aws, Duration, Size, Stack } from "aws-cdk-lib";
import { Action, EcsJobDefinition, Reason, RetryStrategy } from "aws-cdk-lib/aws-batch";
import { type IRole, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Bucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import type { DeploymentConfig } from "../../shared/contracts/deployment-config.ts";
import { storeBucketName, trainingJobDefinitionName } from "../../shared/contracts/names.ts";
import { commitVariable } from "./fixed-environment.ts";
import { useKeyByAlias } from "./job-role.ts";
import { logGroup } from "./log-group.ts";
import { permit } from "./permit.ts";
import { type BuiltImage, programContainer } from "./program-container.ts";
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
    const container = programContainer(this, {
      image,
      imageName: "Gymline trainer",
      purpose: "training jobs",
      logs,
      logPrefix: "train",
      jobRole: trainerRole(this, config),
      instanceRole,
      cpu: training.vcpus,
      memory: Size.mebibytes(training.memoryMiB),
      gpu: training.gpus,
      sharedMemory: Size.mebibytes(training.sharedMemoryMiB),
      // The client of Python knows the second alone.
      environment: {
        AWS_REGION: Aws.REGION,
        AWS_DEFAULT_REGION: Aws.REGION,
        GYMLINE_TRAINER_PROCESSES: String(training.gpus),
        // The image holds no repository that would tell it to the model's card.
        ...commitVariable(this),
      },
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
