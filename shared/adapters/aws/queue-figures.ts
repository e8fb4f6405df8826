import { type CloudWatchClient, GetMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { GetQueueAttributesCommand, type SQSClient } from "@aws-sdk/client-sqs";

/** About how many messages a queue holds. */
export interface QueueCounts {
  /** Ready to be received, or delayed. */
  readonly waiting: number;
  readonly inFlight: number;
}

export async function queueCounts(url: string, client: SQSClient): Promise<QueueCounts> {
  const { Attributes = {} } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] }),
  );
  const {
    ApproximateNumberOfMessages: visible = "0",
    ApproximateNumberOfMessagesDelayed: delayed = "0",
    ApproximateNumberOfMessagesNotVisible: hidden = "0",
  } = Attributes;
  return { waiting: Number(visible) + Number(delayed), inFlight: Number(hidden) };
}

/** CloudWatch's figures come a few minutes late. */
const LOOK_BACK_MS = 15 * 60_000;
const PERIOD_SECONDS = 60;

/**
 * Age of a queue's oldest message in seconds; null where CloudWatch has no figure of the last quarter of an hour: an
 * idle queue has none, nor has a local engine.
 */
export async function oldestMessage(
  url: string,
  { client, now }: { readonly client: CloudWatchClient; readonly now: number },
): Promise<number | null> {
  const { MetricDataResults = [] } = await client.send(
    new GetMetricDataCommand({
      StartTime: new Date(now - LOOK_BACK_MS),
      EndTime: new Date(now),
      ScanBy: "TimestampDescending",
      MetricDataQueries: [
        {
          Id: "oldest",
          MetricStat: {
            Metric: {
              Namespace: "AWS/SQS",
              MetricName: "ApproximateAgeOfOldestMessage",
              Dimensions: [{ Name: "QueueName", Value: url.slice(url.lastIndexOf("/") + 1) }],
            },
            Period: PERIOD_SECONDS,
            Stat: "Maximum",
          },
        },
      ],
    }),
  );
  return MetricDataResults[0]?.Values?.[0] ?? null;
}
