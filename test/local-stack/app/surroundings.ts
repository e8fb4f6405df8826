import { Duration, type Stack } from "aws-cdk-lib";
import { Alarm, Dashboard, GraphWidget } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { EventBus, Rule } from "aws-cdk-lib/aws-events";
import { SqsQueue } from "aws-cdk-lib/aws-events-targets";
import { Key } from "aws-cdk-lib/aws-kms";
import { Schedule, ScheduleExpression } from "aws-cdk-lib/aws-scheduler";
import { SqsSendMessage } from "aws-cdk-lib/aws-scheduler-targets";
import { Secret } from "aws-cdk-lib/aws-secretsmanager";
import { Topic } from "aws-cdk-lib/aws-sns";
import { Queue } from "aws-cdk-lib/aws-sqs";
import { StringParameter } from "aws-cdk-lib/aws-ssm";
import type { ProbePipeline } from "./pipeline.ts";

/** What stands around a pipeline: events, a schedule, a secret, and what watches it. */
export function addSurroundings(stack: Stack, { letters }: ProbePipeline): Record<string, string> {
  const bus = new EventBus(stack, "Bus");
  const events = new Queue(stack, "Events");
  new Rule(stack, "Published", {
    eventBus: bus,
    eventPattern: { source: ["probe"], detailType: ["published"], detail: { kind: ["dataset"] } },
    targets: [new SqsQueue(events)],
  });

  const ticks = new Queue(stack, "Ticks");
  new Schedule(stack, "Sweep", {
    schedule: ScheduleExpression.rate(Duration.minutes(1)),
    target: new SqsSendMessage(ticks),
  });

  const key = new Key(stack, "Key", { enableKeyRotation: true });
  const secret = new Secret(stack, "ApiKey", { encryptionKey: key });
  const parameter = new StringParameter(stack, "Parameter", { stringValue: "set" });

  const topic = new Topic(stack, "Topic");
  const metric = letters.metricApproximateAgeOfOldestMessage();
  const alarm = new Alarm(stack, "Old", { metric, threshold: 60, evaluationPeriods: 1 });
  alarm.addAlarmAction(new SnsAction(topic));
  const dashboard = new Dashboard(stack, "Dashboard", { widgets: [[new GraphWidget({ left: [metric] })]] });

  return {
    BusName: bus.eventBusName,
    EventsUrl: events.queueUrl,
    TicksUrl: ticks.queueUrl,
    SecretArn: secret.secretArn,
    ParameterName: parameter.parameterName,
    AlarmName: alarm.alarmName,
    DashboardName: dashboard.dashboardName,
  };
}
