import type { StageName } from "./deployment-config.ts";

/**
 * Names of what a deployment makes. They follow from its name alone, so that stacks need no references to one another
 * and programs find everything without looking it up.
 */

export function pipelineStackName(name: string): string {
  return `Gymline-${name}-Pipeline`;
}

export function batchStackName(name: string): string {
  return `Gymline-${name}-Batch`;
}

/** Bucket names are unique in the world, hence account and region in them: 54 characters at the most. */
export interface BucketPlace {
  readonly name: string;
  readonly account: string;
  readonly region: string;
}

export function dropBucketName({ name, account, region }: BucketPlace): string {
  return `${name}-drop-${account}-${region}`;
}

export function storeBucketName({ name, account, region }: BucketPlace): string {
  return `${name}-store-${account}-${region}`;
}

export function tableName(name: string): string {
  return `${name}-catalog`;
}

export function eventBusName(name: string): string {
  return name;
}

export function queueName(name: string, stage: StageName): string {
  return `${name}-${stage}`;
}

export function deadLetterQueueName(name: string, stage: StageName): string {
  return `${name}-${stage}-dlq`;
}

/** Events and schedules that could not be delivered. */
export function undeliveredQueueName(name: string): string {
  return `${name}-undelivered`;
}

export function functionName(name: string, stage: StageName): string {
  return `${name}-${stage}`;
}

export function jobQueueName(name: string, processor: "cpu" | "gpu"): string {
  return `${name}-${processor}`;
}

export function jobDefinitionName(name: string): string {
  return `${name}-job`;
}

/** The job that trains on a GPU; there is one where the configuration has `batch.training`. */
export function trainingJobDefinitionName(name: string): string {
  return `${name}-train`;
}

/** What a rollout runs on: processors, or GPUs with a model's server beside the agent. */
export type RolloutMachine = "cpu" | "gpu";

export function rolloutQueueName(name: string, machine: RolloutMachine): string {
  return `${name}-rollout-${machine}`;
}

export function rolloutDefinitionName(name: string, machine: RolloutMachine): string {
  return `${name}-rollout-${machine}`;
}

/** In a job of two containers, that of the agent. */
export const ROLLOUT_AGENT_CONTAINER = "agent";

/** Alarms and failed jobs. */
export function alarmTopicName(name: string): string {
  return `${name}-alarms`;
}

/** One message per published dataset version. */
export function datasetTopicName(name: string): string {
  return `${name}-datasets`;
}

/** Alias of the deployment's own KMS key, where it has one. */
export function keyAlias(name: string): string {
  return `alias/${name}`;
}

export function modelSecretName(name: string): string {
  return `${name}/model-provider`;
}

/** CloudWatch namespace of the pipeline's own figures; their dimension `service` is the function's name. */
export const METRICS_NAMESPACE = "Gymline";
