import { Arn, Duration, Stack } from "aws-cdk-lib";
import { EventBus, EventField, Rule, RuleTargetInput } from "aws-cdk-lib/aws-events";
import { SnsTopic } from "aws-cdk-lib/aws-events-targets";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Queue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import type { DeploymentConfig } from "../../shared/contracts/deployment-config.ts";
import { DATASET_PUBLISHED, EVENT_SOURCE, EXPORT_FAILED } from "../../shared/contracts/events.ts";
import {
  eventBusName,
  jobQueueName,
  rolloutQueueName,
  undeliveredQueueName,
} from "../../shared/contracts/names.ts";
import { acceptRule } from "./accept-rule.ts";
import { safeQueue } from "./queue-with-dlq.ts";
import { runbookAlarm, runbookLink } from "./runbook-alarm.ts";

/** The bus of a deployment. Its archive can be replayed to whoever subscribes later. */
export function eventBus(scope: Construct, config: DeploymentConfig): EventBus {
  const bus = new EventBus(scope, "Bus", { eventBusName: eventBusName(config.name) });
  bus.archive("Archive", {
    description: "Everything that the deployment published in the last 30 days",
    eventPattern: { source: [EVENT_SOURCE] },
    retention: Duration.days(30),
  });
  return bus;
}

/** Keeps what EventBridge or its Scheduler could not deliver, and says so. */
export function undeliveredQueue(
  scope: Construct,
  {
    config,
    key,
    topic,
  }: { readonly config: DeploymentConfig; readonly key?: IKey | undefined; readonly topic: ITopic },
): Queue {
  const queue = new Queue(scope, "Undelivered", {
    queueName: undeliveredQueueName(config.name),
    retentionPeriod: Duration.days(14),
    ...safeQueue(key),
  });
  acceptRule(queue, {
    id: "AwsSolutions-SQS3",
    reason: "It is a dead-letter queue, of rules and schedules.",
  });
  runbookAlarm(scope, {
    id: "UndeliveredAlarm",
    name: `${config.name}-undelivered`,
    says: "An event or a schedule could not be delivered",
    runbook: "undelivered-events",
    metric: queue.metricApproximateNumberOfMessagesVisible({
      statistic: "Maximum",
      period: Duration.minutes(1),
    }),
    above: 0,
    topic,
  });
  return queue;
}

export interface RuleProps {
  readonly topic: ITopic;
  readonly undelivered: Queue;
}

/** Each published dataset version goes to the dataset topic. */
export function datasetRule(
  scope: Construct,
  { bus, topic, undelivered }: RuleProps & { readonly bus: EventBus },
): void {
  new Rule(scope, "DatasetPublished", {
    description: "A dataset version is complete",
    eventBus: bus,
    eventPattern: { source: [EVENT_SOURCE], detailType: [DATASET_PUBLISHED] },
    targets: [new SnsTopic(topic, { deadLetterQueue: undelivered })],
  });
}

/** An export whose rows fail their checks waits for somebody: it goes to the alarm topic. */
export function failedExportRule(
  scope: Construct,
  { bus, topic, undelivered }: RuleProps & { readonly bus: EventBus },
): void {
  new Rule(scope, "ExportFailed", {
    description: "The rows of a dataset failed their checks",
    eventBus: bus,
    // Where nothing is left to write, there may be something the next time.
    eventPattern: { source: [EVENT_SOURCE], detailType: [EXPORT_FAILED], detail: { reason: ["checks"] } },
    targets: [
      new SnsTopic(topic, {
        deadLetterQueue: undelivered,
        message: RuleTargetInput.fromText(
          `The Gymline dataset ${field("name")} was not written: ${field("why")}. ${runbookLink("failed-exports")}`,
        ),
      }),
    ],
  });
}

/**
 * Each job that failed for good goes to the alarm topic. Batch publishes to the account's default bus. Of an array of
 * jobs only the parent, which fails where a child does: children have an index.
 */
export function failedJobRule(
  scope: Construct,
  { config, topic, undelivered }: RuleProps & { readonly config: DeploymentConfig },
): void {
  const { rollouts } = config.batch;
  const queues = [
    jobQueueName(config.name, "cpu"),
    jobQueueName(config.name, "gpu"),
    ...(rollouts === undefined ? [] : [rolloutQueueName(config.name, "cpu")]),
    ...(rollouts?.gpu === undefined ? [] : [rolloutQueueName(config.name, "gpu")]),
  ].map((resourceName) =>
    Arn.format({ service: "batch", resource: "job-queue", resourceName }, Stack.of(scope)),
  );
  new Rule(scope, "FailedJob", {
    description: "A Batch job failed for good",
    eventPattern: {
      source: ["aws.batch"],
      detailType: ["Batch Job State Change"],
      detail: { status: ["FAILED"], jobQueue: queues, arrayProperties: { index: [{ exists: false }] } },
    },
    targets: [
      new SnsTopic(topic, {
        deadLetterQueue: undelivered,
        message: RuleTargetInput.fromText(
          `The Gymline job ${field("jobName")} (${field("jobId")}) failed: ${field("statusReason")}. ${runbookLink("failed-jobs")}`,
        ),
      }),
    ],
  });
}

function field(name: string): string {
  return EventField.fromPath(`$.detail.${name}`);
}
