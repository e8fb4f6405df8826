import {
  type Calls,
  type Counted,
  PER_EXPORTED,
  PER_INGESTED,
  PER_JUDGED,
  PER_LONGER_OBJECT,
  PER_OBJECT,
  PER_SCORED,
  PER_SCORED_ALONG,
  totalOf,
} from "./calls.ts";
import type { DeploymentShape } from "./deployment-shape.ts";
import { type InputValues, inputValues } from "./inputs.ts";
import { costOfUnits, type PriceName } from "./prices.ts";

/** What a deployment is given to do. */
export interface Workload {
  readonly trajectories: number;
  /** Of a trajectory in its log, uncompressed. */
  readonly bytesPerTrajectory: number;
  readonly trajectoriesPerObject: number;
  /** Trajectories that get into a dataset version, counted once for each version; 1: each of them once. */
  readonly exportsPerTrajectory: number;
  /** New scores from export to export; fewer mean more looks. */
  readonly threshold: number;
  /** Of the bytes: what jobs take in instead of functions. 0 to 1. */
  readonly jobShare: number;
  /** Of a training instance. */
  readonly gpuHours: number;
  /** Of the trajectories: those that a model judges. 0 to 1. */
  readonly judgedShare: number;
  /** US dollars that the model's provider takes for one of them. */
  readonly usdPerJudged: number;
}

export const DEFAULT_WORKLOAD: Workload = {
  trajectories: 1_000_000,
  bytesPerTrajectory: 60_000,
  trajectoriesPerObject: 1,
  exportsPerTrajectory: 1,
  threshold: 1000,
  jobShare: 0,
  gpuHours: 0,
  judgedShare: 0,
  usdPerJudged: 0,
};

export interface CostLine {
  readonly service: string;
  readonly what: string;
  readonly price: PriceName;
  readonly quantity: number;
  readonly usd: number;
}

export interface CostReport {
  /** Once, for taking in, scoring and exporting the workload. */
  readonly work: readonly CostLine[];
  /** Each month, for keeping what it left. */
  readonly keeping: readonly CostLine[];
  /** Each month, whether or not there is anything to do. */
  readonly idle: readonly CostLine[];
}

/** US dollars of some lines together. */
export function sumOf(lines: readonly CostLine[]): number {
  return lines.reduce((sum, { usd }) => sum + usd, 0);
}

/**
 * What a workload costs in a deployment. Linear in the number of trajectories; grows with every other figure of the
 * workload but `trajectoriesPerObject` and `threshold`, with which it falls.
 */
export function costOf(
  workload: Workload,
  shape: DeploymentShape,
  inputs: InputValues = inputValues(),
): CostReport {
  const counts = countsOf(workload, shape);
  return {
    work: [
      ...functionLines(workload, { shape, inputs, counts }),
      ...requestLines(workload, { shape, inputs, counts }),
      ...observationLines({ inputs, counts }),
      ...jobLines(workload, inputs),
      ...judgeLines(workload, { shape, inputs, counts }),
      ...(shape.kms
        ? [line("KMS", "keys of buckets, once per object at most", "kmsRequest", counts.objects)]
        : []),
    ],
    keeping: keepingLines(workload, inputs),
    idle: idleLines(shape, inputs),
  };
}

interface Counts {
  readonly trajectories: number;
  readonly objects: number;
  readonly rows: number;
  readonly judged: number;
  /** Those that functions take in; jobs score what they take in. */
  readonly byFunctions: number;
  readonly objectsByFunctions: number;
  /** Messages to the stage score. */
  readonly toScore: number;
}

interface Context {
  readonly inputs: InputValues;
  readonly counts: Counts;
}

function countsOf(workload: Workload, { scoreAlong }: DeploymentShape): Counts {
  const { trajectories, trajectoriesPerObject, exportsPerTrajectory, jobShare } = workload;
  const objects = trajectories / trajectoriesPerObject;
  return {
    trajectories,
    objects,
    rows: trajectories * exportsPerTrajectory,
    judged: trajectories * workload.judgedShare,
    byFunctions: trajectories * (1 - jobShare),
    objectsByFunctions: objects * (1 - jobShare),
    toScore: scoreAlong ? 0 : trajectories * (1 - jobShare),
  };
}

export function line(service: string, what: string, price: PriceName, quantity: number): CostLine {
  return { service, what, price, quantity, usd: costOfUnits(price, quantity) };
}

function functionLines(
  { bytesPerTrajectory }: Workload,
  { shape, inputs, counts }: Context & { readonly shape: DeploymentShape },
): readonly CostLine[] {
  const price = shape.architecture === "arm64" ? "lambdaArm" : "lambdaX86";
  const { s3GetMs, s3PutMs, dynamoReadMs, dynamoWriteMs } = inputs;
  const computed = (nsPerByte: number, memoryMiB: number): number => {
    // Below a full processor the work takes longer in proportion; above, one thread goes no faster.
    const slowness = inputs.processorFactor * Math.max(1, inputs.fullProcessorMiB / memoryMiB);
    return (bytesPerTrajectory * nsPerByte * slowness) / 1e6;
  };
  const gbSeconds = (milliseconds: number, memoryMiB: number): number =>
    (milliseconds / 1000) * (memoryMiB / 1024);
  const { ingest, score, export: exporting } = shape.memoryMiB;
  // Waiting is added to computing, as if they never overlapped: an upper bound.
  const object = (s3GetMs + dynamoReadMs) / inputs.ingestSideBySide;
  // Document and score are written at the same time.
  const stored = (s3PutMs + dynamoReadMs + dynamoWriteMs) / inputs.ingestSideBySide;
  const scored = (s3GetMs + s3PutMs + 2 * dynamoReadMs + dynamoWriteMs) / inputs.scoreSideBySide;
  const exported = (2 * s3GetMs) / inputs.exportSideBySide;
  const ingestRuns = counts.objectsByFunctions / inputs.ingestBatch;
  const scoreRuns = counts.toScore / inputs.scoreBatch;
  // Scored along, a document is not read again; so much closer an estimate is not worth an input.
  const scoring = computed(inputs.scoreNsPerByte, shape.scoreAlong ? ingest : score);
  const ingestMs =
    counts.objectsByFunctions * object +
    counts.byFunctions * (stored + computed(inputs.ingestNsPerByte, ingest)) +
    (counts.byFunctions - counts.toScore) * scoring +
    ingestRuns * inputs.startMs;
  const scoreMs = counts.toScore * (scored + scoring) + scoreRuns * inputs.startMs;
  const exportMs = counts.rows * (exported + computed(inputs.exportNsPerByte, exporting));
  return [
    line("Lambda", "ingest", price, gbSeconds(ingestMs, ingest)),
    line("Lambda", "score", price, gbSeconds(scoreMs, score)),
    line("Lambda", "export", price, gbSeconds(exportMs, exporting)),
    line("Lambda", "invocations", "lambdaRequest", ingestRuns + scoreRuns),
  ];
}

function requestLines(
  { threshold, trajectoriesPerObject }: Workload,
  { shape, inputs, counts }: Context & { readonly shape: DeploymentShape },
): readonly CostLine[] {
  const { objects, trajectories, rows, judged } = counts;
  const longer = shape.scoreAlong ? 1 - 1 / trajectoriesPerObject : 1;
  const all = (counted: Counted): number => {
    const of = (calls: readonly Calls[]): number => totalOf(calls, counted);
    return (
      objects * (of(PER_OBJECT) + longer * of(PER_LONGER_OBJECT)) +
      trajectories * (of(PER_INGESTED) + of(shape.scoreAlong ? PER_SCORED_ALONG : PER_SCORED)) +
      rows * of(PER_EXPORTED) +
      judged * of(PER_JUDGED)
    );
  };
  const looks = (trajectories * inputs.looksPerThreshold) / threshold;
  // S3 sends one message per object; receiving and deleting come in batches, ten at the most.
  const ingestRequests = counts.objectsByFunctions * (1 + 2 / inputs.ingestBatch);
  const scoreRequests = counts.toScore * (3 / 10);
  const exports = rows / threshold;
  return [
    line("SQS", "messages to ingest and score", "sqsRequest", ingestRequests + scoreRequests + 3 * exports),
    line("DynamoDB", "writes", "dynamoWrite", all("writeUnits")),
    line("DynamoDB", "reads", "dynamoRead", all("readUnits") + looks * (inputs.counterShards + 1)),
    line("S3", "documents, scores, datasets", "s3Put", all("s3Puts") + 5 * exports),
    line("S3", "reads", "s3Get", all("s3Gets")),
    line("EventBridge", "published versions", "event", exports),
  ];
}

/** Twice through the judge's function, once more through that of scores; and what the model's provider bills. */
function judgeLines(
  { bytesPerTrajectory, usdPerJudged }: Workload,
  { shape, inputs, counts: { judged } }: Context & { readonly shape: DeploymentShape },
): readonly CostLine[] {
  if (judged === 0) return [];
  const price = shape.architecture === "arm64" ? "lambdaArm" : "lambdaX86";
  const { s3GetMs, s3PutMs, dynamoReadMs, dynamoWriteMs } = inputs;
  const gets = totalOf(PER_JUDGED, "s3Gets");
  const puts = totalOf(PER_JUDGED, "s3Puts");
  // One after the other, as it is; its own document is parsed twice, and once more to score it.
  const waiting = gets * s3GetMs + (puts + 1) * s3PutMs + totalOf(PER_JUDGED, "readUnits") * dynamoReadMs;
  const slowness = inputs.processorFactor * Math.max(1, inputs.fullProcessorMiB / shape.memoryMiB.judge);
  const nsPerByte = 2 * inputs.exportNsPerByte + inputs.scoreNsPerByte;
  const computed = (bytesPerTrajectory * nsPerByte * slowness) / 1e6;
  const gbSeconds = ((waiting + 2 * dynamoWriteMs + computed) / 1000) * (shape.memoryMiB.judge / 1024);
  return [
    line("Lambda", "judge", price, judged * gbSeconds),
    line("SQS", "messages to judge, and to score again", "sqsRequest", judged * (6 / 10)),
    line("Model", "judgements, at your own figure", "model", judged * usdPerJudged),
  ];
}

function observationLines({ inputs, counts }: Context): readonly CostLine[] {
  const messages = counts.objectsByFunctions + counts.toScore;
  const runs = counts.objectsByFunctions / inputs.ingestBatch + counts.toScore / inputs.scoreBatch;
  const logged = messages * inputs.logBytesPerMessage + runs * inputs.logBytesPerInvocation;
  return [
    line("CloudWatch", "logs", "logIngestion", logged / 1e9),
    line("X-Ray", "traces", "trace", runs * inputs.tracedShare),
  ];
}

function jobLines(
  { trajectories, bytesPerTrajectory, jobShare, gpuHours }: Workload,
  inputs: InputValues,
): readonly CostLine[] {
  const nsPerByte = inputs.ingestNsPerByte + inputs.scoreNsPerByte;
  const bytes = trajectories * bytesPerTrajectory * jobShare;
  const hours = (bytes * nsPerByte * inputs.processorFactor) / 1e9 / 3600;
  const lines: CostLine[] = [];
  if (jobShare > 0) lines.push(line("Batch", "large objects, Spot", "cpuHour", hours * inputs.spotShare));
  if (gpuHours > 0) lines.push(line("Batch", "training, Spot", "gpuHour", gpuHours * inputs.spotShare));
  return lines;
}

function keepingLines(
  { trajectories, bytesPerTrajectory, exportsPerTrajectory }: Workload,
  inputs: InputValues,
): readonly CostLine[] {
  const perTrajectory =
    bytesPerTrajectory * (inputs.documentShare + exportsPerTrajectory * inputs.datasetShare) +
    inputs.scoreBytes;
  const catalog = (trajectories * inputs.catalogBytes) / 1e9;
  return [
    line("S3", "documents, scores, datasets", "s3Storage", (trajectories * perTrajectory) / 1e9),
    line("S3", "dropped logs, until they expire", "s3Storage", (trajectories * bytesPerTrajectory) / 1e9),
    line("DynamoDB", "catalog", "dynamoStorage", catalog),
    line("DynamoDB", "catalog, any second of 35 days", "dynamoBackup", catalog),
  ];
}

const MINUTES_PER_MONTH = 43_800;

function idleLines(shape: DeploymentShape, inputs: InputValues): readonly CostLine[] {
  const { sweepsPerMonth, schedulesPerMonth, collectsPerMonth, kms } = shape;
  const price = shape.architecture === "arm64" ? "lambdaArm" : "lambdaX86";
  const sweepGbSeconds = (sweepsPerMonth * inputs.sweepMs * shape.memoryMiB.sweep) / 1024 / 1000;
  // Each sweep asks the catalog for every object it lists, and for the ids below 256 prefixes.
  const sweepReads = sweepsPerMonth * (inputs.sweptObjects + 256);
  return [
    line("CloudWatch", "alarms", "alarm", shape.alarms),
    line("CloudWatch", "dashboard", "dashboard", 1),
    line("CloudWatch", "own metrics", "metric", shape.metrics),
    line("Secrets Manager", "secret for model providers", "secret", 1),
    line(
      "SQS",
      "polling of idle queues",
      "sqsRequest",
      shape.queues * inputs.idlePollsPerMinute * MINUTES_PER_MONTH,
    ),
    line("DynamoDB", "sweeps of a full drop", "dynamoRead", sweepReads),
    line("S3", "sweeps of a full drop", "s3Put", sweepsPerMonth * (inputs.sweptObjects / 1000 + 1)),
    line("Lambda", "sweeps of a full drop", price, sweepGbSeconds),
    line("EventBridge", "schedules", "schedule", sweepsPerMonth + schedulesPerMonth + collectsPerMonth),
    ...(collectsPerMonth === 0
      ? []
      : [
          line("Lambda", "looks for the judge's batches", "lambdaRequest", collectsPerMonth),
          line("Secrets Manager", "reading the judge's key", "secretRequest", collectsPerMonth),
        ]),
    ...(kms ? [line("KMS", "key", "kmsKey", 1)] : []),
  ];
}
