import type { CatalogRow } from "../contracts/catalog-row.ts";
import type { DatasetRequest } from "../contracts/dataset-request.ts";
import type { ScoreEvidence } from "../contracts/evidence.ts";
import { type Inspector, inspectRow } from "../dataset/quality/inspect-row.ts";
import { reasonInItself } from "../dataset/select.ts";
import { groupColumns } from "../dataset/targets/grpo-attempt.ts";
import type { EncodedGroup } from "../dataset/targets/parquet-group.ts";
import { isOfOneTrajectory, renderTrajectory } from "../dataset/targets/render-trajectory.ts";
import { type TargetId, targetOf } from "../dataset/targets/targets.ts";
import { type Row, rowPieces } from "../dataset/targets/write-row.ts";
import { estimateTokens } from "../judge/tokens.ts";
import type {
  ComputedRecord,
  ComputedScore,
  ComputedTrajectory,
  GroupRow,
  RefusedRow,
  RenderedRow,
  RowGroupTask,
  RowTask,
} from "../ports/compute.ts";
import type { SourceRecord } from "../reading/source.ts";
import { TRAJECTORY_SCHEMA } from "../trajectory/gymline-extra.ts";
import type { Trajectory } from "../trajectory/schema.ts";
import { unpackDocument } from "./document-file.ts";
import { documentBytes, ingestRecord } from "./ingest-record.ts";
import type { IngestSettings } from "./ingest-settings.ts";
import { readScore, type ScoredTrajectory, type ScoreSettings, scoreBySettings } from "./score-trajectory.ts";
import { withUtf8 } from "./utf8-pieces.ts";

/** What the compute port does, as pure functions: threads and Lambdas call these. */
export interface TaskSettings {
  readonly ingest: IngestSettings;
  readonly score: ScoreSettings;
  /** Ingest leaves the score to a stage of its own: always, or where it cannot be computed. */
  readonly scoreLater?: boolean | "on-fault";
  /** The dataset that the run will write: rows that may get into it are rendered along with ingest. */
  readonly dataset?: DatasetRequest;
}

export async function computeIngest(record: SourceRecord, settings: TaskSettings): Promise<ComputedRecord> {
  const { trajectories, rejections } = ingestRecord(record, settings.ingest);
  const computed: ComputedTrajectory[] = [];
  for (const { trajectory, row, ordinal, session, attachments, clean } of trajectories) {
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
    const scored = await firstScore(trajectory, settings);
    if (scored === undefined) {
      computed.push(common);
      continue;
    }
    const rendered = renderedAhead({ row, trajectory, scored, clean }, settings);
    const score = encodedScore(scored);
    computed.push({ ...common, score, ...(rendered === undefined ? {} : { rendered }) });
  }
  return { rejections, trajectories: computed };
}

async function firstScore(
  trajectory: Trajectory,
  { score, scoreLater }: TaskSettings,
): Promise<ScoredTrajectory | undefined> {
  try {
    return await scoreBySettings(trajectory, score);
  } catch (error) {
    if (scoreLater !== "on-fault") throw error;
    return undefined;
  }
}

/** The row of the dataset that the run will write, where it is made of this trajectory alone and that may get in. */
function renderedAhead(
  of: {
    readonly row: CatalogRow;
    readonly trajectory: Trajectory;
    readonly scored: ScoredTrajectory;
    readonly clean: ReadonlySet<string>;
  },
  settings: TaskSettings,
): RenderedRow | undefined {
  const { dataset: request } = settings;
  if (request === undefined || !isOfOneTrajectory(request.target)) return undefined;
  const { row: score, document } = of.scored;
  if (reasonInItself({ ...of.row, ...score, domain: document.domain }, request) !== undefined)
    return undefined;
  const { trajectory, clean } = of;
  const { target } = request;
  const rendering = renderTrajectory(target, { trajectory, score: document });
  if (rendering.kind === "refused") return undefined;
  const inspected = inspectedLine(rendering.row, { target, settings, from: { trajectory, clean } });
  return { ...inspected, facts: rendering.facts };
}

export async function computeScore(
  document: Uint8Array,
  settings: ScoreSettings,
  evidence?: ScoreEvidence,
): Promise<ComputedScore> {
  return encodedScore(await scoreBySettings(readDocument(document), settings, evidence));
}

/** Looked at in passing: later, its line would have to be read again. */
export function computeRow(task: RowTask, settings: TaskSettings): RenderedRow | RefusedRow {
  const { document, score, target, group } = task;
  const trajectory = readDocument(document);
  const own = score === undefined ? undefined : readScore(score);
  const rendering = renderTrajectory(target, { trajectory, score: own });
  if (rendering.kind === "refused") return { refused: rendering.reason };
  const row = group === undefined ? rendering.row : { ...groupColumns(group), ...rendering.row };
  return { ...inspectedLine(row, { target, settings }), facts: rendering.facts };
}

/**
 * A row as its line, and what the checks need to know of it. `from`: what its texts are from, where more was written of
 * them, and those in which the redactor found nothing a moment ago.
 */
export function inspectedLine(
  row: Row,
  of: {
    readonly target: TargetId;
    readonly settings: TaskSettings;
    readonly from?: { readonly trajectory: Trajectory; readonly clean: ReadonlySet<string> };
  },
): Pick<GroupRow, "line" | "inspection"> {
  const { target, settings, from } = of;
  const { columns } = targetOf(target);
  const written = columns.flatMap(({ name }) =>
    row[name] === undefined ? [] : [[name, row[name]] as const],
  );
  return {
    line: withUtf8(rowPieces(row, columns, from?.trajectory), (bytes) => new Uint8Array(bytes)),
    inspection: inspectRow(Object.fromEntries(written), inspectorOf(target, settings), from?.clean),
  };
}

export async function computeRowGroup({ lines, target }: RowGroupTask): Promise<EncodedGroup> {
  // What writes Parquet is loaded where there is some to write.
  const { encodeGroup } = await import("../dataset/targets/parquet-group.ts");
  return encodeGroup(lines, targetOf(target).columns);
}

/** Tokens of rows are estimated from their characters. */
function inspectorOf(target: TargetId, { ingest }: TaskSettings): Inspector {
  return { target: targetOf(target), redactor: ingest.redactor, countTokens: estimateTokens };
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
