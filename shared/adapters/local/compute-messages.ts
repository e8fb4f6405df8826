import type { DatasetRequest } from "../../contracts/dataset-request.ts";
import type { ScoreEvidence } from "../../contracts/evidence.ts";
import type { PipelinePlan } from "../../contracts/pipeline-plan.ts";
import type { EncodedGroup } from "../../dataset/targets/parquet-group.ts";
import type {
  ComputedRecord,
  ComputedScore,
  GroupRows,
  GroupTask,
  RefusedRow,
  RenderedRow,
  RowGroupTask,
  RowTask,
  TokensCount,
  TokensTask,
} from "../../ports/compute.ts";
import type { SourceRecord } from "../../reading/source.ts";

/** What a compute thread starts with. */
export interface WorkerSetup {
  readonly plan: PipelinePlan;
  /** The dataset that the run will write, if any. */
  readonly dataset?: DatasetRequest;
}

/** What main thread and compute threads say to each other. Buffers are handed over, not copied. */
export type ComputeTask =
  | { readonly kind: "ingest"; readonly record: SourceRecord }
  | {
      readonly kind: "score";
      readonly document: Uint8Array;
      readonly evidence: ScoreEvidence | undefined;
    }
  | ({ readonly kind: "row" } & RowTask)
  | { readonly kind: "group"; readonly group: GroupTask }
  | ({ readonly kind: "row-group" } & RowGroupTask)
  | ({ readonly kind: "tokens" } & TokensTask);

export type ComputeResult =
  | ComputedRecord
  | ComputedScore
  | RenderedRow
  | RefusedRow
  | GroupRows
  | EncodedGroup
  | TokensCount;

export interface TaskBatch {
  readonly tasks: readonly ComputeTask[];
}

export type TaskAnswer =
  | { readonly ok: true; readonly result: ComputeResult }
  | { readonly ok: false; readonly error: ThreadError };

/** An error as it crosses threads: cloned as it is, it would lose its name. */
export interface ThreadError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

export function threadError(error: unknown): ThreadError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), stack: undefined };
  const { name, message, stack } = error;
  return { name, message, stack };
}

export function errorFrom({ name, message, stack }: ThreadError): Error {
  return Object.assign(new Error(message), { name, ...(stack === undefined ? {} : { stack }) });
}

export interface BatchAnswer {
  readonly answers: readonly TaskAnswer[];
}

/** The same bytes in memory that threads share: they cross as often as need be, and are there once. */
export function sharedBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes;
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  shared.set(bytes);
  return shared;
}

/** `ready`: the thread has loaded all it needs; whatever ends it from now on is a task's fault. */
export type ThreadMessage = BatchAnswer | { readonly ready: true };

/** The memory behind an array that fills it, so that it can be handed over; else a copy that does. */
export function ownBuffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  return whole && bytes.buffer instanceof ArrayBuffer
    ? (bytes as Uint8Array<ArrayBuffer>)
    : new Uint8Array(bytes);
}
