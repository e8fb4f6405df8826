import type { CatalogRow, ScoreRow } from "../contracts/catalog-row.ts";
import type { ScoreEvidence } from "../contracts/evidence.ts";
import type { RowInspection } from "../dataset/quality/inspect-row.ts";
import type { SplitName } from "../dataset/split.ts";
import type { RowFacts } from "../dataset/tally.ts";
import type { GroupFacts } from "../dataset/targets/grpo-attempt.ts";
import type { PairUnit } from "../dataset/targets/pair-parts.ts";
import type { EncodedGroup } from "../dataset/targets/parquet-group.ts";
import type { TargetId } from "../dataset/targets/targets.ts";
import type { AttemptPair, TaskAttempts } from "../preferences/attempt.ts";
import type { Rejection } from "../reading/rejection.ts";
import type { SourceRecord } from "../reading/source.ts";
import type { TokenizerFiles } from "../tokenizer/tokenizer-files.ts";

/** A trajectory ready to be stored: already redacted, serialised and scored. */
export interface ComputedTrajectory {
  readonly row: CatalogRow;
  readonly ordinal: number;
  readonly session?: { readonly name: string | null; readonly prefixes: Uint8Array };
  /** Canonical JSON, packed. */
  readonly document: Uint8Array;
  readonly blobs: readonly { readonly sha256: string; readonly bytes: Uint8Array }[];
  /** Present where scoring goes with ingest, which saves reading the document again. */
  readonly score?: ComputedScore;
  /** Its row in a dataset, where the settings ask for it and it may get into that. */
  readonly rendered?: RenderedRow;
}

export interface ComputedScore {
  readonly row: ScoreRow;
  /** Of the document that was scored. */
  readonly revision: string;
  readonly domain: string;
  /** JSON of the stored score. */
  readonly bytes: Uint8Array;
}

export interface ComputedRecord {
  readonly trajectories: readonly ComputedTrajectory[];
  readonly rejections: readonly Rejection[];
}

/** One line of JSON with its newline. */
export interface RenderedRow {
  readonly line: Uint8Array;
  readonly facts: RowFacts;
  /** What the checks need to know of it, with a second pass of the redaction detectors. */
  readonly inspection: RowInspection;
}

/** Why a trajectory makes no row of the target. */
export interface RefusedRow {
  readonly refused: string;
}

/** What is to be rendered: a stored document, its score (which may be missing), and for which trainer. */
export interface RowTask {
  readonly document: Uint8Array;
  readonly score: Uint8Array | undefined;
  readonly target: TargetId;
  /** What the columns of its group say, for targets that have them. */
  readonly group?: GroupFacts;
}

/** A document and its score as they lie in the store. */
export interface StoredPart {
  readonly id: string;
  readonly document: Uint8Array;
  readonly score: Uint8Array | undefined;
}

/** Pairs of attempts at one task, with the documents that they stand for by place. */
export interface PairsTask {
  readonly kind: "pairs";
  readonly target: TargetId;
  readonly unit: PairUnit;
  readonly task: string;
  readonly parts: readonly StoredPart[];
  readonly pairs: readonly { readonly of: AttemptPair; readonly chosen: number; readonly rejected: number }[];
}

/** A task with its attempts, and the documents of the first of them. */
export interface PromptTask {
  readonly kind: "prompt";
  readonly target: TargetId;
  readonly of: TaskAttempts;
  readonly parts: readonly StoredPart[];
  readonly split: SplitName;
  readonly envClass: string;
  readonly perTask: number | undefined;
}

export type GroupTask = PairsTask | PromptTask;

/** A row with what is added up of each trajectory in it, in the order in which the row names them. */
export interface GroupRow {
  readonly line: Uint8Array;
  readonly facts: readonly RowFacts[];
  readonly inspection: RowInspection;
}

/** A row for each pair, or one for the task; `damaged` where a document or score cannot be read. */
export type GroupRows =
  | { readonly kind: "rows"; readonly rows: readonly (GroupRow | RefusedRow)[] }
  | { readonly kind: "damaged"; readonly id: string; readonly why: string };

/** Rendered rows, one line after another, to be encoded as a row group of Parquet. */
export interface RowGroupTask {
  readonly lines: Uint8Array;
  readonly target: TargetId;
}

/** A stored document whose tokens are counted: by a tokenizer, named by the SHA-256 of its files, else by estimate. */
export interface TokensTask {
  readonly document: Uint8Array;
  readonly tokenizer: { readonly sha256: string; readonly files: TokenizerFiles } | undefined;
}

/** `refused`: by the chat template, which does not take such a conversation. `fault`: of the tokenizer itself. */
export type TokensCount =
  | { readonly kind: "counted"; readonly tokens: number }
  | { readonly kind: "refused" }
  | { readonly kind: "fault"; readonly why: string };

/** The thread that computed a task ended before it answered, twice: the task itself is the likely reason. */
export class ComputeLostError extends Error {
  override readonly name = "ComputeLostError";
}

/** There is nothing left to compute with: no fault of a task, which may be tried again elsewhere. */
export class ComputeStoppedError extends Error {
  override readonly name = "ComputeStoppedError";
}

/** Where the work is done that needs a processor and nothing else: this thread, or a pool of them. */
export interface Compute {
  ingest(record: SourceRecord): Promise<ComputedRecord>;
  /** `evidence`: what models and people said of the trajectory, where they did. */
  score(document: Uint8Array, evidence?: ScoreEvidence): Promise<ComputedScore>;
  row(task: RowTask): Promise<RenderedRow | RefusedRow>;
  /** Rows that are made of several trajectories. */
  group(task: GroupTask): Promise<GroupRows>;
  /** The row group of these lines. */
  rowGroup(task: RowGroupTask): Promise<EncodedGroup>;
  /** Tokens of a trajectory. */
  tokens(task: TokensTask): Promise<TokensCount>;
  close(): Promise<void>;
}
