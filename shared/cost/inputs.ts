/**
 * How an input is known. `measured`: by a benchmark of this repository. `counted`: in the code. `cited`: in AWS's
 * documentation. `assumed`: to be measured on AWS.
 */
export type Evidence = "measured" | "counted" | "cited" | "assumed";

export interface Input {
  readonly value: number;
  readonly unit: string;
  readonly evidence: Evidence;
  readonly source: string;
}

const input = (value: number, unit: string, evidence: Evidence, source: string): Input => ({
  value,
  unit,
  evidence,
  source,
});

const CHAIN = "docs/BENCHMARKS.md: the chain at 13.4 MB/s on two cores takes 149 ns of a core per byte";
const CORPUS = "200 rows of test/bench/corpus.ts (60 KB each), run through the chain";
const LATENCY = "to be measured on AWS";

/** What the model takes for granted. Sizes are in bytes, times in milliseconds unless said otherwise. */
export const INPUTS = {
  ingestNsPerByte: input(112, "ns per byte", "measured", `${CHAIN}, 75 % of it up to the stored document`),
  scoreNsPerByte: input(
    25,
    "ns per byte",
    "measured",
    `${CHAIN}, 12 % of it scoring; 5 % more to parse again`,
  ),
  exportNsPerByte: input(
    19,
    "ns per byte",
    "measured",
    `${CHAIN}, 13 % of it reading again and writing rows`,
  ),
  processorFactor: input(
    1.5,
    "times the benchmark's core",
    "assumed",
    `an arm64 processor of Lambda; ${LATENCY}`,
  ),
  fullProcessorMiB: input(
    1769,
    "MiB",
    "cited",
    "Lambda Developer Guide, Configure function memory: one full vCPU",
  ),
  documentShare: input(0.33, "of the source's bytes", "measured", `stored document, gzip level 1; ${CORPUS}`),
  scoreBytes: input(6200, "bytes", "measured", `stored score; ${CORPUS}`),
  datasetShare: input(0.6, "of the source's bytes", "measured", `rows of a dataset version; ${CORPUS}`),
  catalogBytes: input(
    3300,
    "bytes",
    "measured",
    `row (840) measured, its places, notes and index entries counted; ${CORPUS}`,
  ),
  s3GetMs: input(20, "ms", "assumed", `GET or HEAD of a small object; ${LATENCY}`),
  s3PutMs: input(25, "ms", "assumed", `PUT of a small object; ${LATENCY}`),
  dynamoReadMs: input(5, "ms", "assumed", `read of one or a few items; ${LATENCY}`),
  dynamoWriteMs: input(15, "ms", "assumed", `transaction; ${LATENCY}`),
  ingestSideBySide: input(10, "messages", "counted", "functions/ingest/handler.ts"),
  scoreSideBySide: input(8, "messages", "counted", "functions/score/handler.ts"),
  exportSideBySide: input(32, "rows", "counted", "shared/stages/export.ts"),
  ingestBatch: input(10, "messages", "counted", "infra/constructs/stage.ts; an idle pipeline gathers fewer"),
  scoreBatch: input(50, "messages", "counted", "infra/constructs/stage.ts; an idle pipeline gathers fewer"),
  startMs: input(20, "ms per invocation", "assumed", `beside the work itself; ${LATENCY}`),
  logBytesPerMessage: input(700, "bytes", "counted", "one line of a handler, with its ids"),
  logBytesPerInvocation: input(
    1500,
    "bytes",
    "counted",
    "start, report and embedded metrics of an invocation",
  ),
  tracedShare: input(0.05, "of invocations", "cited", "Lambda Developer Guide, X-Ray: 1 a second, then 5 %"),
  idlePollsPerMinute: input(
    15,
    "requests per queue",
    "cited",
    "Lambda Developer Guide, SQS: 5 long polls at a time, 20 s each",
  ),
  looksPerThreshold: input(20, "looks", "counted", "shared/stages/score-stored.ts"),
  counterShards: input(32, "items", "counted", "shared/adapters/aws/catalog-keys.ts"),
  sweptObjects: input(5000, "objects per sweep", "counted", "shared/stages/sweep.ts: the most it looks at"),
  sweepMs: input(30_000, "ms per sweep", "assumed", `at the most it looks at; ${LATENCY}`),
  spotShare: input(0.4, "of the on-demand price", "assumed", "Spot prices change; see Spot pricing history"),
} as const satisfies Readonly<Record<string, Input>>;

export type InputName = keyof typeof INPUTS;
/** A value for each input. */
export type InputValues = Readonly<Record<InputName, number>>;

export function inputValues(changes: Partial<InputValues> = {}): InputValues {
  return {
    ...(Object.fromEntries(Object.entries(INPUTS).map(([name, { value }]) => [name, value])) as InputValues),
    ...changes,
  };
}
