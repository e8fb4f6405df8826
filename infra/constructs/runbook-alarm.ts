import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { Construct } from "constructs";

/** Headings of docs/OPERATIONS.md: each alarm names the one that says what to do. */
export type Runbook =
  | "dead-letters"
  | "oldest-message"
  | "function-errors"
  | "function-throttles"
  | "function-duration"
  | "missing-documents"
  | "judge-budget"
  | "judge-faults"
  | "undelivered-events"
  | "failed-exports"
  | "failed-jobs"
  | "stopped-loops";

export interface RunbookAlarm {
  readonly id: string;
  readonly name: string;
  /** What has happened, as a sentence without its full stop. */
  readonly says: string;
  readonly runbook: Runbook;
  readonly metric: IMetric;
  /** The alarm rises above this value. */
  readonly above: number;
  /** For so many periods in a row. */
  readonly periods?: number;
  readonly topic: ITopic;
}

/** An alarm that tells the topic when it rises and when it falls. No data is no reason for alarm: idle is healthy. */
export function runbookAlarm(scope: Construct, alarm: RunbookAlarm): Alarm {
  const created = new Alarm(scope, alarm.id, {
    alarmName: alarm.name,
    alarmDescription: `${alarm.says}. ${runbookLink(alarm.runbook)}`,
    metric: alarm.metric,
    threshold: alarm.above,
    comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
    evaluationPeriods: alarm.periods ?? 1,
    treatMissingData: TreatMissingData.NOT_BREACHING,
  });
  created.addAlarmAction(new SnsAction(alarm.topic));
  created.addOkAction(new SnsAction(alarm.topic));
  return created;
}

export function runbookLink(runbook: Runbook): string {
  return `What to do: docs/OPERATIONS.md#${runbook}`;
}
