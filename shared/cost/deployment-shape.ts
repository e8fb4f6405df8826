import {
  type DeploymentConfig,
  deploymentConfigSchema,
  type Stage,
  stagesOf,
} from "../contracts/deployment-config.ts";

/** What of a deployment's configuration shapes its price. */
export interface DeploymentShape {
  readonly architecture: "arm64" | "x86_64";
  readonly memoryMiB: Readonly<Record<Stage, number>>;
  readonly kms: boolean;
  /** Ingest scores what it takes in. */
  readonly scoreAlong: boolean;
  readonly queues: number;
  readonly alarms: number;
  readonly metrics: number;
  readonly sweepsPerMonth: number;
  /** Of datasets and loops. */
  readonly schedulesPerMonth: number;
  /** How often the judge's batches are looked after; 0 without a judge. */
  readonly collectsPerMonth: number;
}

/** Of a stage (infra/constructs/stage-alarms.ts). */
const ALARMS_PER_STAGE = 5;
/** What could not be delivered, documents that are missing, the judge's faults and its money for the day. */
const OTHER_ALARMS = 4;
/** Names that the handlers count under (functions/), those of a judge apart. */
const METRICS = 10;
const JUDGE_METRICS = 5;
const LOOP_METRICS = 1;
const MINUTES_PER_MONTH = 43_800;
const UNIT_MINUTES: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 1440 };

/** @param options whether the settings have a judge, and a critic */
export function deploymentShape(
  config: DeploymentConfig,
  { hasJudge, hasCritic = false }: { readonly hasJudge: boolean; readonly hasCritic?: boolean },
): DeploymentShape {
  const { functions, architecture, kms, datasets } = config;
  const stages = stagesOf(config);
  const hasLoop = config.loop.length > 0;
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
    scoreAlong: config.scoreAlong && !hasJudge && !hasCritic,
    queues: stages.length,
    alarms: stages.length * ALARMS_PER_STAGE + OTHER_ALARMS,
    metrics: METRICS + (hasJudge ? JUDGE_METRICS : 0) + (hasLoop ? LOOP_METRICS : 0),
    sweepsPerMonth: runsPerMonth(config.sweep),
    schedulesPerMonth: datasets.reduce(
      (sum, { schedule }) => sum + (schedule === undefined ? 0 : runsPerMonth(schedule)),
      // The loops look by themselves as often as the sweep does.
      hasLoop ? runsPerMonth(config.sweep) : 0,
    ),
    collectsPerMonth: hasJudge ? runsPerMonth(config.judgeCollect) : 0,
  };
}

/** The same deployment with a judge at its defaults. */
export function withJudge(shape: DeploymentShape): DeploymentShape {
  const collectsPerMonth = runsPerMonth(deploymentConfigSchema.parse({}).judgeCollect);
  return { ...shape, scoreAlong: false, metrics: shape.metrics + JUDGE_METRICS, collectsPerMonth };
}

/** How often an EventBridge Scheduler expression runs; of a `cron`, which may say anything, every 15 minutes. */
export function runsPerMonth(expression: string): number {
  if (expression.startsWith("at(")) return 1;
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  if (rate === null) return MINUTES_PER_MONTH / 15;
  return MINUTES_PER_MONTH / (Number(rate[1]) * (UNIT_MINUTES[rate[2] ?? ""] ?? 1));
}
