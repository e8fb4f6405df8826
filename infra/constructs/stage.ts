import { Duration } from "aws-cdk-lib";
import type { IRole } from "aws-cdk-lib/aws-iam";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import { Construct } from "constructs";
import type { StageName } from "../../shared/contracts/deployment-config.ts";
import type { Pipeline } from "./pipeline.ts";
import { PipelineFunction } from "./pipeline-function.ts";
import type { QueueWithDlq } from "./queue-with-dlq.ts";
import { stageAlarms } from "./stage-alarms.ts";

/** How the messages of each stage are gathered for its function. */
export const BATCHES: Readonly<Record<StageName, { readonly size: number; readonly windowSeconds: number }>> =
  {
    // They share what is asked of the catalog; an object that takes long goes to a job, and none waits for company.
    ingest: { size: 10, windowSeconds: 0 },
    // Scoring takes milliseconds, so an invocation is worth gathering for.
    score: { size: 50, windowSeconds: 2 },
    // Of many trajectories one batch is made, at half the price; a day does not depend on a minute.
    judge: { size: 1000, windowSeconds: 60 },
    // One export holds its dataset's lease for as long as it takes.
    export: { size: 1, windowSeconds: 0 },
    sweep: { size: 1, windowSeconds: 0 },
    loop: { size: 1, windowSeconds: 0 },
  };

/** Queue → function, with alarms. What the function may do is said where the stage is made (`infra/stages`). */
export class StageConstruct extends Construct {
  readonly function: LambdaFunction;
  readonly role: IRole;
  readonly queue: QueueWithDlq;

  constructor(scope: Construct, id: string, { pipeline, stage }: { pipeline: Pipeline; stage: StageName }) {
    super(scope, id);
    const { config } = pipeline;
    const queue = pipeline.queues[stage];
    if (queue === undefined) throw new TypeError(`there is no queue of the stage ${stage}`);
    this.queue = queue;
    const made = new PipelineFunction(this, "Function", { pipeline, stage });
    this.function = made.function;
    this.role = made.role;
    const { size, windowSeconds } = BATCHES[stage];
    this.function.addEventSource(
      new SqsEventSource(this.queue.queue, {
        batchSize: size,
        ...(windowSeconds === 0 ? {} : { maxBatchingWindow: Duration.seconds(windowSeconds) }),
        reportBatchItemFailures: true,
        maxConcurrency: config.functions[stage].maxConcurrency,
      }),
    );
    stageAlarms(this, { config, stage, queue: this.queue, handler: this.function, topic: pipeline.alarms });
  }
}
