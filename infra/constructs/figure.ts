import { Duration } from "aws-cdk-lib";
import { Metric } from "aws-cdk-lib/aws-cloudwatch";
import type { StageName } from "../../shared/contracts/deployment-config.ts";
import { functionName, METRICS_NAMESPACE } from "../../shared/contracts/names.ts";

export interface Figure {
  /** Name of the deployment. */
  readonly name: string;
  readonly figure: string;
  /** The stage that counts it. */
  readonly stage: StageName;
}

/** A count that a function publishes, summed over five minutes. */
export function figure({ name, figure: metricName, stage }: Figure): Metric {
  return new Metric({
    namespace: METRICS_NAMESPACE,
    metricName,
    dimensionsMap: { service: functionName(name, stage) },
    statistic: "Sum",
    period: Duration.minutes(5),
  });
}
