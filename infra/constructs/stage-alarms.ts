import { Duration } from "aws-cdk-lib";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { Construct } from "constructs";
import type { DeploymentConfig, StageName } from "../../shared/contracts/deployment-config.ts";
import type { QueueWithDlq } from "./queue-with-dlq.ts";
import { runbookAlarm } from "./runbook-alarm.ts";

export interface StageAlarmProps {
  readonly config: DeploymentConfig;
  readonly stage: StageName;
  readonly queue: QueueWithDlq;
  readonly handler: LambdaFunction;
  readonly topic: ITopic;
}

/** The five ways in which a stage can be unwell. */
export function stageAlarms(
  scope: Construct,
  { config, stage, queue, handler, topic }: StageAlarmProps,
): void {
  const prefix = `${config.name}-${stage}`;
  const minutes = config.alarms.oldestMessageMinutes;
  const { timeoutSeconds } = config.functions[stage];
  const period = Duration.minutes(5);
  runbookAlarm(scope, {
    id: "DeadLettersAlarm",
    name: `${prefix}-dead-letters`,
    says: `The stage ${stage} gave up on messages`,
    runbook: "dead-letters",
    metric: queue.deadLetters.metricApproximateNumberOfMessagesVisible({
      statistic: "Maximum",
      period: Duration.minutes(1),
    }),
    above: 0,
    topic,
  });
  runbookAlarm(scope, {
    id: "OldestMessageAlarm",
    name: `${prefix}-oldest-message`,
    says: `A message to the stage ${stage} has waited for more than ${minutes} minutes`,
    runbook: "oldest-message",
    metric: queue.queue.metricApproximateAgeOfOldestMessage({ statistic: "Maximum", period }),
    above: minutes * 60,
    topic,
  });
  runbookAlarm(scope, {
    id: "ErrorsAlarm",
    name: `${prefix}-errors`,
    says: `The function of the stage ${stage} crashed or ran out of time or memory`,
    runbook: "function-errors",
    metric: handler.metricErrors({ statistic: "Sum", period }),
    above: 0,
    topic,
  });
  runbookAlarm(scope, {
    id: "ThrottlesAlarm",
    name: `${prefix}-throttles`,
    says: `The function of the stage ${stage} has been refused for 15 minutes: the account runs too many at a time`,
    runbook: "function-throttles",
    metric: handler.metricThrottles({ statistic: "Sum", period }),
    above: 0,
    periods: 3,
    topic,
  });
  runbookAlarm(scope, {
    id: "DurationAlarm",
    name: `${prefix}-duration`,
    says: `The function of the stage ${stage} came near its time-out of ${timeoutSeconds} s`,
    runbook: "function-duration",
    metric: handler.metricDuration({ statistic: "Maximum", period }),
    above: timeoutSeconds * 900,
    topic,
  });
}
