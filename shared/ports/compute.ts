import type { CatalogRow, ScoreRow } from "../contracts/catalog-row.ts";
import type { ScoreEvidence } from "../contracts/evidence.ts";
import type { RowInspection } from "../dataset/quality/inspect-row.ts";
import type { RowFacts } from "../dataset/tally.ts";
import type { TargetId } from "../dataset/targets/targets.ts";
import type { Rejection } from "../reading/rejection.ts";
import type { SourceRecord } from "../reading/source.ts";

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
}

/** A rendered row, to be looked at as it will be written. */
export interface InspectTask {
  readonly line: Uint8Array;
  readonly target: TargetId;
}

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
  /** What the checks of a dataset need to know of a row, with a second pass of the redaction detectors. */
  inspect(task: InspectTask): Promise<RowInspection>;
  close(): Promise<void>;
}
