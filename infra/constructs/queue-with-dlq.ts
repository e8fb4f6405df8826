import { Duration, RemovalPolicy } from "aws-cdk-lib";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { StageName } from "../../shared/contracts/deployment-config.ts";
import { deadLetterQueueName, queueName } from "../../shared/contracts/names.ts";
import { output, title } from "./output.ts";

export interface QueueWithDlqProps {
  readonly name: string;
  readonly stage: StageName;
  readonly functionTimeout: Duration;
  /** How long the event source gathers a batch. */
  readonly batchWindow: Duration;
  readonly maxReceives: number;
  readonly key?: IKey | undefined;
}

/** The queue of a stage and the queue of what the stage gave up on. */
export class QueueWithDlq extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: QueueWithDlqProps) {
    super(scope, id);
    const { name, stage, maxReceives, key } = props;
    this.deadLetters = new Queue(this, "DeadLetters", {
      queueName: deadLetterQueueName(name, stage),
      // A message keeps the age that it had when it was sent, so it must be kept longer here than in its queue.
      retentionPeriod: Duration.days(14),
      ...safeQueue(key),
    });
    this.queue = new Queue(this, "Queue", {
      queueName: queueName(name, stage),
      retentionPeriod: Duration.days(4),
      // Six times the time-out, as Lambda's guide asks: a throttled batch waits in the poller, invisible.
      visibilityTimeout: Duration.seconds(
        6 * props.functionTimeout.toSeconds() + props.batchWindow.toSeconds(),
      ),
      receiveMessageWaitTime: Duration.seconds(20),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: maxReceives },
      ...safeQueue(key),
    });
    output(this, `${title(stage)}QueueUrl`, this.queue.queueUrl);
    output(this, `${title(stage)}DlqUrl`, this.deadLetters.queueUrl);
  }
}

/** TLS only, encrypted; queues hold nothing that the sweep cannot send again, so they go with their stack. */
export function safeQueue(key: IKey | undefined) {
  return {
    enforceSSL: true,
    removalPolicy: RemovalPolicy.DESTROY,
    ...(key === undefined
      ? { encryption: QueueEncryption.SQS_MANAGED }
      : { encryption: QueueEncryption.KMS, encryptionMasterKey: key, dataKeyReuse: Duration.hours(1) }),
  };
}
