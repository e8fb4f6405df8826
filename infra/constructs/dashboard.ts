import { Aws, Duration } from "aws-cdk-lib";
import { Dashboard, GraphWidget, type IMetric } from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";
import { type DeploymentConfig, STAGES, type Stage } from "../../shared/contracts/deployment-config.ts";
import { figure } from "./figure.ts";
import { output } from "./output.ts";
import type { StageConstruct } from "./stage.ts";

/** What the functions count while all is well, and what the sweep finds. */
const FLOW = [
  ["Ingested", "ingest"],
  ["Duplicates", "ingest"],
  ["Rejected", "ingest"],
  ["Scored", "ingest"],
  ["Scored", "score"],
  ["Judged", "judge"],
  ["Exported", "export"],
  ["ExportsFailed", "export"],
  ["ExportsEmpty", "export"],
] as const;
const SWEPT = [
  ["Missed", "sweep"],
  ["Unscored", "sweep"],
  ["Strays", "sweep"],
  ["MissingDocuments", "sweep"],
] as const;

const JUDGED = [
  ["JudgeFailures", "judge"],
  ["JudgeFaults", "judge"],
  ["JudgeBudgetReached", "judge"],
  ["NotJudged", "judge"],
] as const;
const SPENT = [["JudgeSpendMicroUsd", "judge"]] as const;

const PERIOD = Duration.minutes(5);

/** One page: what flows, what waits, what failed, how long it takes. */
export function dashboard(
  scope: Construct,
  {
    config,
    stages,
  }: { readonly config: DeploymentConfig; readonly stages: Readonly<Record<Stage, StageConstruct>> },
): void {
  const page = new Dashboard(scope, "Dashboard", {
    dashboardName: config.name,
    defaultInterval: Duration.hours(12),
  });
  const each = (metric: (stage: StageConstruct) => IMetric) => STAGES.map((stage) => metric(stages[stage]));
  const figures = (list: readonly (readonly [string, Stage])[]) =>
    list.map(([counted, stage]) => figure({ name: config.name, figure: counted, stage }));
  page.addWidgets(
    graph("Trajectories and datasets", figures(FLOW)),
    graph(
      "Messages that wait",
      each(({ queue, node }) =>
        queue.queue.metricApproximateNumberOfMessagesVisible({ label: node.id, period: PERIOD }),
      ),
    ),
    graph(
      "Age of the oldest message (s)",
      each(({ queue, node }) =>
        queue.queue.metricApproximateAgeOfOldestMessage({ label: node.id, period: PERIOD }),
      ),
    ),
  );
  page.addWidgets(
    graph(
      "Dead letters",
      each(({ queue, node }) =>
        queue.deadLetters.metricApproximateNumberOfMessagesVisible({ label: node.id, period: PERIOD }),
      ),
    ),
    graph("Errors and throttles", [
      ...each((stage) => stage.function.metricErrors({ label: `${stage.node.id} errors`, period: PERIOD })),
      ...each((stage) =>
        stage.function.metricThrottles({ label: `${stage.node.id} throttles`, period: PERIOD }),
      ),
    ]),
    graph(
      "Duration, 95 of 100 (ms)",
      each((stage) =>
        stage.function.metricDuration({ label: stage.node.id, statistic: "p95", period: PERIOD }),
      ),
    ),
  );
  page.addWidgets(
    graph("Found by the sweep", figures(SWEPT)),
    graph("The judge", figures(JUDGED)),
    graph("The judge's spend (millionths of a US dollar)", figures(SPENT)),
  );
  output(
    scope,
    "DashboardUrl",
    `https://console.aws.amazon.com/cloudwatch/home?region=${Aws.REGION}#dashboards/dashboard/${config.name}`,
  );
}

function graph(title: string, left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, left, width: 8, height: 6 });
}
