import { type DeploymentConfig, STAGES, type Stage } from "../contracts/deployment-config.ts";

/** What of a deployment's configuration shapes its price. */
export interface DeploymentShape {
  readonly architecture: "arm64" | "x86_64";
  readonly memoryMiB: Readonly<Record<Stage, number>>;
  readonly kms: boolean;
  readonly queues: number;
  readonly alarms: number;
  readonly metrics: number;
  readonly sweepsPerMonth: number;
  /** Of datasets. */
  readonly schedulesPerMonth: number;
}

/** Of a stage (infra/constructs/stage-alarms.ts). */
const ALARMS_PER_STAGE = 5;
/** What could not be delivered, and documents that are missing. */
const OTHER_ALARMS = 2;
/** Names that the handlers count under (functions/). */
const METRICS = 9;
const MINUTES_PER_MONTH = 43_800;
const UNIT_MINUTES: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 1440 };

export function deploymentShape(config: DeploymentConfig): DeploymentShape {
  const { functions, architecture, kms, datasets } = config;
  return {
    architecture,
    memoryMiB: {
      ingest: functions.ingest.memoryMiB,
      score: functions.score.memoryMiB,
      judge: functions.judge.memoryMiB,
      export: functions.export.memoryMiB,
      sweep: functions.sweep.memoryMiB,
    },
    kms,
    queues: STAGES.length,
    alarms: STAGES.length * ALARMS_PER_STAGE + OTHER_ALARMS,
    metrics: METRICS,
    sweepsPerMonth: runsPerMonth(config.sweep),
    schedulesPerMonth: datasets.reduce(
      (sum, { schedule }) => sum + (schedule === undefined ? 0 : runsPerMonth(schedule)),
      0,
    ),
  };
}

/** How often an EventBridge Scheduler expression runs; of a `cron`, which may say anything, every 15 minutes. */
export function runsPerMonth(expression: string): number {
  if (expression.startsWith("at(")) return 1;
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  if (rate === null) return MINUTES_PER_MONTH / 15;
  return MINUTES_PER_MONTH / (Number(rate[1]) * (UNIT_MINUTES[rate[2] ?? ""] ?? 1));
}
