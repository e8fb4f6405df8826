import { Duration, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { DeploymentConfig, StageName } from "../shared/contracts/deployment-config.ts";
import type { Deployment } from "../shared/contracts/deployment-files.ts";
import { pipelineStackName } from "../shared/contracts/names.ts";
import { dropBucket, storeBucket } from "./constructs/buckets.ts";
import { catalogTable } from "./constructs/catalog-table.ts";
import { dashboard } from "./constructs/dashboard.ts";
import { encryptionKey } from "./constructs/encryption-key.ts";
import {
  datasetRule,
  eventBus,
  failedExportRule,
  failedJobRule,
  undeliveredQueue,
} from "./constructs/events.ts";
import { fixedEnvironment } from "./constructs/fixed-environment.ts";
import { SETTINGS_FILE } from "./constructs/function-bundle.ts";
import { modelSecret } from "./constructs/model-secret.ts";
import { output, title } from "./constructs/output.ts";
import type { Entries, Pipeline } from "./constructs/pipeline.ts";
import { QueueWithDlq } from "./constructs/queue-with-dlq.ts";
import { schedules } from "./constructs/schedules.ts";
import { BATCHES } from "./constructs/stage.ts";
import { alarmTopic, datasetTopic } from "./constructs/topics.ts";
import { dropRefused, type LocalOptions } from "./local-options.ts";
import { exportStage } from "./stages/export.ts";
import { ingestStage } from "./stages/ingest.ts";
import { judgeStage } from "./stages/judge.ts";
import { loopStage } from "./stages/loop.ts";
import { scoreStage } from "./stages/score.ts";
import { sweepStage } from "./stages/sweep.ts";

export interface PipelineStackProps extends StackProps {
  readonly deployment: Deployment;
  readonly entries: Entries;
  readonly local?: LocalOptions | undefined;
}

/** Drop bucket → ingest → score → export. Works without the Batch stack, except for what is too large for a function. */
export class PipelineStack extends Stack {
  constructor(scope: Construct, { deployment, entries, local, ...props }: PipelineStackProps) {
    const { config } = deployment;
    super(scope, pipelineStackName(config.name), {
      description: `Gymline ${config.name}: queues, functions, buckets and catalog`,
      ...props,
    });
    const key = encryptionKey(this, config);
    const alarms = alarmTopic(this, { config, key });
    const queues = {
      ingest: queue(this, { config, key, stage: "ingest" }),
      score: queue(this, { config, key, stage: "score" }),
      judge: queue(this, { config, key, stage: "judge" }),
      export: queue(this, { config, key, stage: "export" }),
      sweep: queue(this, { config, key, stage: "sweep" }),
      ...(config.loop.length === 0 ? {} : { loop: queue(this, { config, key, stage: "loop" }) }),
    };
    const drop = dropBucket(this, { config, key, queue: queues.ingest.queue });
    const store = storeBucket(this, { config, key });
    const table = catalogTable(this, { config, key });
    const bus = eventBus(this, config);
    const secret = modelSecret(this, { config, key });
    const shared = { drop, store, table, bus, queues, secret };
    const pipeline: Pipeline = {
      ...shared,
      config,
      settings: deployment.settings,
      critic: deployment.settings.critic !== undefined,
      entries,
      local,
      key,
      alarms,
      environment: environmentOf(config, shared),
    };
    const stages = {
      ingest: ingestStage(this, pipeline),
      score: scoreStage(this, pipeline),
      judge: judgeStage(this, pipeline),
      export: exportStage(this, pipeline),
      sweep: sweepStage(this, pipeline),
    };
    const undelivered = undeliveredQueue(this, { config, key, topic: alarms });
    datasetRule(this, { bus, topic: datasetTopic(this, { config, key }), undelivered });
    failedExportRule(this, { bus, topic: alarms, undelivered });
    failedJobRule(this, { config, topic: alarms, undelivered });
    if (config.loop.length > 0) loopStage(this, pipeline, undelivered);
    const hasJudge = deployment.settings.config.judge !== undefined;
    schedules(this, { config, hasJudge, key, queues, undelivered });
    dashboard(this, { config, stages });
    output(this, "DropBucketName", drop.bucketName);
    output(this, "StoreBucketName", store.bucketName);
    output(this, "TableName", table.tableName);
    output(this, "EventBusName", bus.eventBusName);
    if (local !== undefined) dropRefused(this);
  }
}

function queue(
  scope: Construct,
  { config, key, stage }: Pick<Pipeline, "config" | "key"> & { readonly stage: StageName },
): QueueWithDlq {
  return new QueueWithDlq(scope, `${title(stage)}Queue`, {
    name: config.name,
    stage,
    functionTimeout: Duration.seconds(config.functions[stage].timeoutSeconds),
    batchWindow: Duration.seconds(BATCHES[stage].windowSeconds),
    maxReceives: config.maxReceives,
    key,
  });
}

function environmentOf(
  config: DeploymentConfig,
  {
    drop,
    store,
    table,
    bus,
    queues,
    secret,
  }: Pick<Pipeline, "drop" | "store" | "table" | "bus" | "queues" | "secret">,
): Pipeline["environment"] {
  return {
    GYMLINE_DROP_BUCKET: drop.bucketName,
    GYMLINE_STORE_BUCKET: store.bucketName,
    GYMLINE_TABLE: table.tableName,
    GYMLINE_EVENT_BUS: bus.eventBusName,
    GYMLINE_INGEST_QUEUE_URL: queues.ingest.queue.queueUrl,
    GYMLINE_INGEST_DLQ_URL: queues.ingest.deadLetters.queueUrl,
    GYMLINE_SCORE_QUEUE_URL: queues.score.queue.queueUrl,
    GYMLINE_JUDGE_QUEUE_URL: queues.judge.queue.queueUrl,
    GYMLINE_EXPORT_QUEUE_URL: queues.export.queue.queueUrl,
    GYMLINE_SWEEP_QUEUE_URL: queues.sweep.queue.queueUrl,
    GYMLINE_MODEL_SECRET: secret.secretArn,
    GYMLINE_SETTINGS: SETTINGS_FILE,
    ...fixedEnvironment(config),
  };
}
