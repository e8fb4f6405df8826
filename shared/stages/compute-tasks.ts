import type { CatalogRow } from "../contracts/catalog-row.ts";
import type { DatasetRequest } from "../contracts/dataset-request.ts";
import type { ScoreEvidence } from "../contracts/evidence.ts";
import { reasonInItself } from "../dataset/select.ts";
import { sftLinePieces, sftRow } from "../dataset/sft-row.ts";
import type { ComputedRecord, ComputedScore, ComputedTrajectory, RenderedRow } from "../ports/compute.ts";
import type { SourceRecord } from "../reading/source.ts";
import { TRAJECTORY_SCHEMA } from "../trajectory/gymline-extra.ts";
import type { Trajectory } from "../trajectory/schema.ts";
import { unpackDocument } from "./document-file.ts";
import { documentBytes, ingestRecord } from "./ingest-record.ts";
import type { IngestSettings } from "./ingest-settings.ts";
import {
  criticReading,
  readScore,
  type ScoredTrajectory,
  type ScoreSettings,
  type StoredScore,
  scoreTrajectory,
} from "./score-trajectory.ts";
import { withUtf8 } from "./utf8-pieces.ts";

/** What the compute port does, as pure functions: threads and Lambdas call these. */
export interface TaskSettings {
  readonly ingest: IngestSettings;
  readonly score: ScoreSettings;
  /** Ingest leaves the score to a stage of its own. */
  readonly scoreLater?: boolean;
  /** The dataset that the run will write: rows that may get into it are rendered along with ingest. */
  readonly dataset?: DatasetRequest;
}

export async function computeIngest(record: SourceRecord, settings: TaskSettings): Promise<ComputedRecord> {
  const { trajectories, rejections } = ingestRecord(record, settings.ingest);
  const computed: ComputedTrajectory[] = [];
  for (const { trajectory, row, ordinal, session, attachments } of trajectories) {
    const { profile } = settings.score;
    const common = {
      row: profile === undefined ? row : { ...row, domain: profile.domain },
      ordinal,
      ...(session === undefined ? {} : { session }),
      document: documentBytes(trajectory),
      blobs: [...attachments].map(([sha256, { bytes }]) => ({ sha256, bytes })),
    };
    if (settings.scoreLater === true) {
      computed.push(common);
      continue;
    }
    const critic = await criticReading(trajectory, settings.score);
    const scored = scoreTrajectory(trajectory, settings.score, { critic });
    const rendered = mayGetIn(row, scored, settings.dataset)
      ? renderedRow(trajectory, scored.document)
      : undefined;
    const score = encodedScore(scored);
    computed.push({ ...common, score, ...(rendered === undefined ? {} : { rendered }) });
  }
  return { rejections, trajectories: computed };
}

function mayGetIn(
  row: CatalogRow,
  { row: score, document }: ScoredTrajectory,
  request: DatasetRequest | undefined,
): boolean {
  const { domain } = document;
  return request !== undefined && reasonInItself({ ...row, ...score, domain }, request) === undefined;
}

export async function computeScore(
  document: Uint8Array,
  settings: ScoreSettings,
  evidence?: ScoreEvidence,
): Promise<ComputedScore> {
  const trajectory = readDocument(document);
  const critic = await criticReading(trajectory, settings);
  return encodedScore(scoreTrajectory(trajectory, settings, { evidence, critic }));
}

export function computeSftRow(document: Uint8Array, score: Uint8Array | undefined): RenderedRow | undefined {
  return renderedRow(readDocument(document), score === undefined ? undefined : readScore(score));
}

function renderedRow(trajectory: Trajectory, score: StoredScore | undefined): RenderedRow | undefined {
  const row = sftRow(trajectory, score);
  if (row === undefined) return undefined;
  const { reward, success, domain, format, agent, model } = row;
  return {
    line: withUtf8(sftLinePieces(row, trajectory), (bytes) => new Uint8Array(bytes)),
    facts: {
      reward,
      success,
      domain,
      format,
      agent,
      model,
      redactions: trajectory.extra.gymline.redaction.total,
      messages: row.messages.length,
      trained: row.weights.reduce((sum, weight) => sum + weight, 0),
    },
  };
}

/** A stored file is not what its key promises. */
export class StoredFormatError extends Error {
  override readonly name = "StoredFormatError";
}

/**
 * A document of our own store. Its shape was checked when it was made, so only the schema literal is looked at
 * here; `gymline doctor --deep` checks all of it.
 * @throws StoredFormatError
 */
export function readDocument(document: Uint8Array): Trajectory {
  let value: { readonly extra?: { readonly gymline?: { readonly schema?: unknown } } };
  try {
    value = JSON.parse(unpackDocument(document));
  } catch (cause) {
    throw new StoredFormatError("a stored document is no packed JSON", { cause });
  }
  if (value?.extra?.gymline?.schema !== TRAJECTORY_SCHEMA) {
    throw new StoredFormatError(`a stored document has not the schema ${TRAJECTORY_SCHEMA}`);
  }
  return value as Trajectory;
}

function encodedScore({ row, document }: ScoredTrajectory): ComputedScore {
  const { domain, revision } = document;
  return { row, revision, domain, bytes: Buffer.from(JSON.stringify(document)) };
}
