import { Arn, Stack } from "aws-cdk-lib";
import { EventField, Rule, RuleTargetInput } from "aws-cdk-lib/aws-events";
import { SnsTopic, SqsQueue } from "aws-cdk-lib/aws-events-targets";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import {
  BATCH_JOB_CHANGED,
  DATASET_PUBLISHED,
  EVENT_SOURCE,
  LOOP_STOPPED,
} from "../../shared/contracts/events.ts";
import type { LoopEnvironment } from "../../shared/contracts/loop-environment.ts";
import {
  jobQueueName,
  rolloutDefinitionName,
  rolloutQueueName,
  trainingJobDefinitionName,
} from "../../shared/contracts/names.ts";
import { permit } from "../constructs/permit.ts";
import type { Pipeline } from "../constructs/pipeline.ts";
import {
  endJobs,
  LIST_JOBS,
  LOOK_AT_JOBS,
  listBucket,
  publishTo,
  readObjects,
  submitLoopJobs,
  useCatalog,
  writeObjects,
} from "../constructs/rights.ts";
import { runbookLink } from "../constructs/runbook-alarm.ts";
import { StageConstruct } from "../constructs/stage.ts";
import { FALLBACK_SOURCE } from "../local/batch/fallback-source.ts";

/** Published datasets → trained, evaluated and promoted models. Its queue is told of datasets and of jobs that ended. */
export function loopStage(scope: Construct, pipeline: Pipeline, undelivered: Queue): StageConstruct {
  const stage = new StageConstruct(scope, "Loop", { pipeline, stage: "loop" });
  const { store, table, bus, config } = pipeline;
  permit(
    stage.role,
    readObjects(store, "datasets/", "models/", "rollouts/", "loops/", "evaluations/"),
    writeObjects(store, "models/", "trainings/", "rollouts/", "loops/", "evaluations/"),
    listBucket(store),
    ...useCatalog(table),
    publishTo(bus),
    submitLoopJobs(scope, config.name),
    endJobs(scope),
    LOOK_AT_JOBS,
    LIST_JOBS,
  );
  for (const [name, value] of Object.entries(environmentOf(stage, config.name))) {
    stage.function.addEnvironment(name, value);
  }
  rules(stage, { pipeline, undelivered });
  return stage;
}

function environmentOf({ queue }: StageConstruct, name: string): LoopEnvironment {
  return {
    GYMLINE_LOOP_QUEUE_URL: queue.queue.queueUrl,
    GYMLINE_TRAINING_QUEUE: jobQueueName(name, "gpu"),
    GYMLINE_TRAINING_DEFINITION: trainingJobDefinitionName(name),
    GYMLINE_ROLLOUT_QUEUE: rolloutQueueName(name, "cpu"),
    GYMLINE_ROLLOUT_DEFINITION: rolloutDefinitionName(name, "cpu"),
  };
}

function rules(
  stage: StageConstruct,
  { pipeline, undelivered }: { readonly pipeline: Pipeline; readonly undelivered: Queue },
): void {
  const { bus, config, alarms, local } = pipeline;
  const targets = [new SqsQueue(stage.queue.queue, { deadLetterQueue: undelivered })];
  new Rule(stage, "DatasetPublished", {
    description: "A dataset version is complete that a loop trains on",
    eventBus: bus,
    eventPattern: {
      source: [EVENT_SOURCE],
      detailType: [DATASET_PUBLISHED],
      detail: { name: [...new Set(config.loop.map(({ dataset }) => dataset))] },
    },
    targets,
  });
  const queues = [jobQueueName(config.name, "gpu"), rolloutQueueName(config.name, "cpu")];
  // Batch publishes to the account's default bus. Of an array of jobs only the parent counts: children have an index.
  new Rule(stage, "JobEnded", {
    description: "A job has ended that trains or rolls out",
    eventPattern: {
      source: local === undefined ? ["aws.batch"] : ["aws.batch", FALLBACK_SOURCE],
      detailType: [BATCH_JOB_CHANGED],
      detail: {
        status: ["SUCCEEDED", "FAILED"],
        jobQueue: queues.map((resourceName) =>
          Arn.format({ service: "batch", resource: "job-queue", resourceName }, Stack.of(stage)),
        ),
        arrayProperties: { index: [{ exists: false }] },
      },
    },
    targets,
  });
  const field = (name: string): string => EventField.fromPath(`$.detail.${name}`);
  new Rule(stage, "Stopped", {
    description: "A run of a loop waits for somebody",
    eventBus: bus,
    eventPattern: { source: [EVENT_SOURCE], detailType: [LOOP_STOPPED] },
    targets: [
      new SnsTopic(alarms, {
        deadLetterQueue: undelivered,
        message: RuleTargetInput.fromText(
          `The Gymline loop of ${field("model")} stands still: its run ${field("run")} is ${field("state")}: ${field("reason")}. ${runbookLink("stopped-loops")}`,
        ),
      }),
    ],
  });
}
