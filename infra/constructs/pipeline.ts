import type { Table } from "aws-cdk-lib/aws-dynamodb";
import type { EventBus } from "aws-cdk-lib/aws-events";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { Bucket } from "aws-cdk-lib/aws-s3";
import type { Secret } from "aws-cdk-lib/aws-secretsmanager";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { DeployedSettings } from "../../shared/contracts/deployed-settings.ts";
import type { DeploymentConfig, Stage, StageName } from "../../shared/contracts/deployment-config.ts";
import type { FunctionEnvironment } from "../../shared/contracts/function-environment.ts";
import type { LocalOptions } from "../local-options.ts";
import type { QueueWithDlq } from "./queue-with-dlq.ts";

/** Handler file of each stage. */
export type Entries = Readonly<Record<StageName, string>>;

/** The last is there where the configuration has a loop. */
export type StageQueues = Readonly<Record<Stage, QueueWithDlq> & { loop?: QueueWithDlq }>;

/** What the stages share; each takes from it what it needs and is given rights to no more. */
export interface Pipeline {
  readonly config: DeploymentConfig;
  /** Go beside each function's code. */
  readonly settings: DeployedSettings;
  /** Scoring runs a critic. */
  readonly critic: boolean;
  readonly entries: Entries;
  readonly local?: LocalOptions | undefined;
  readonly key?: IKey | undefined;
  readonly drop: Bucket;
  readonly store: Bucket;
  readonly table: Table;
  readonly bus: EventBus;
  /** Keys of model providers. */
  readonly secret: Secret;
  readonly queues: StageQueues;
  /** Where alarms go. */
  readonly alarms: ITopic;
  readonly environment: Readonly<Record<keyof FunctionEnvironment, string>>;
}
