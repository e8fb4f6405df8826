import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Stage as Assembly, Aws, Duration, Size } from "aws-cdk-lib";
import { Action, EcsJobDefinition, Reason, RetryStrategy } from "aws-cdk-lib/aws-batch";
import type { IRole } from "aws-cdk-lib/aws-iam";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import type { Construct } from "constructs";
import type { Deployment } from "../../shared/contracts/deployment-files.ts";
import type { FunctionEnvironment } from "../../shared/contracts/function-environment.ts";
import {
  deadLetterQueueName,
  dropBucketName,
  eventBusName,
  jobDefinitionName,
  modelSecretName,
  queueName,
  storeBucketName,
  tableName,
} from "../../shared/contracts/names.ts";
import { commitVariable, fixedEnvironment } from "./fixed-environment.ts";
import { SETTINGS_FILE } from "./function-bundle.ts";
import { permit } from "./permit.ts";
import { type BuiltImage, programContainer } from "./program-container.ts";

/** The job program's image. */
export interface JobImage extends BuiltImage {
  /** Folder of the Dockerfile of sandboxes, relative to the folder. */
  readonly sandbox: string;
}

export interface JobDefinitionProps {
  readonly deployment: Deployment;
  readonly image: JobImage;
  readonly logs: ILogGroup;
  readonly jobRole: IRole;
  readonly instanceRole: IRole;
}

/** The job program, `containers/gymline`. */
export function jobDefinition(scope: Construct, props: JobDefinitionProps): EcsJobDefinition {
  const { deployment, image, logs, jobRole, instanceRole } = props;
  const { job } = deployment.config.batch;
  const settings = settingsAsset(scope, deployment);
  permit(jobRole, {
    actions: ["s3:GetObject"],
    resources: [settings.bucket.arnForObjects(settings.s3ObjectKey)],
  });
  const container = programContainer(scope, {
    image,
    imageName: "Gymline job",
    purpose: "jobs",
    logs,
    logPrefix: "job",
    jobRole,
    instanceRole,
    cpu: job.vcpus,
    memory: Size.mebibytes(job.memoryMiB),
    environment: {
      // ECS does not set it on every instance, and the clients of AWS need it.
      AWS_REGION: Aws.REGION,
      ...environmentOf(deployment, settings.s3ObjectUrl),
      ...commitVariable(scope),
    },
  });
  return new EcsJobDefinition(scope, "JobDefinition", {
    jobDefinitionName: jobDefinitionName(deployment.config.name),
    container,
    timeout: Duration.minutes(job.timeoutMinutes),
    retryAttempts: job.attempts,
    retryStrategies: RETRIES,
    propagateTags: true,
  });
}

/**
 * The first that fits decides; what fits none is tried again, since stages may be run twice and most faults are of
 * the moment.
 */
const RETRIES = [
  RetryStrategy.of(Action.RETRY, Reason.SPOT_INSTANCE_RECLAIMED),
  // The registry was busy, or the image came too late: not the job's fault.
  RetryStrategy.of(Action.RETRY, Reason.CANNOT_PULL_CONTAINER),
  // It would take as much memory the next time.
  RetryStrategy.of(Action.EXIT, Reason.custom({ onReason: "OutOfMemoryError*" })),
  // Exit code of a run that is done but rejected some of its input: no other try would take it.
  RetryStrategy.of(Action.EXIT, Reason.custom({ onExitCode: "2" })),
];

function settingsAsset(scope: Construct, { settings }: Deployment): Asset {
  const folder = join(Assembly.of(scope)?.outdir ?? "cdk.out", "bundles");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, SETTINGS_FILE);
  const { loops: _, ...own } = settings;
  writeFileSync(path, JSON.stringify(own));
  return new Asset(scope, "Settings", { path });
}

function environmentOf({ config }: Deployment, settings: string): Record<keyof FunctionEnvironment, string> {
  const { name } = config;
  const place = { name, account: Aws.ACCOUNT_ID, region: Aws.REGION };
  const url = (queue: string) => `https://sqs.${Aws.REGION}.${Aws.URL_SUFFIX}/${Aws.ACCOUNT_ID}/${queue}`;
  return {
    GYMLINE_DROP_BUCKET: dropBucketName(place),
    GYMLINE_STORE_BUCKET: storeBucketName(place),
    GYMLINE_TABLE: tableName(name),
    GYMLINE_EVENT_BUS: eventBusName(name),
    GYMLINE_INGEST_QUEUE_URL: url(queueName(name, "ingest")),
    GYMLINE_INGEST_DLQ_URL: url(deadLetterQueueName(name, "ingest")),
    GYMLINE_SCORE_QUEUE_URL: url(queueName(name, "score")),
    GYMLINE_JUDGE_QUEUE_URL: url(queueName(name, "judge")),
    GYMLINE_EXPORT_QUEUE_URL: url(queueName(name, "export")),
    GYMLINE_SWEEP_QUEUE_URL: url(queueName(name, "sweep")),
    GYMLINE_MODEL_SECRET: modelSecretName(name),
    GYMLINE_SETTINGS: settings,
    ...fixedEnvironment(config),
  };
}
