import type { CatalogRow } from "../contracts/catalog-row.ts";
import { chooseDomain } from "../domains/choose-domain.ts";
import { RecordParseError } from "../reading/parse-json.ts";
import { type Rejection, rejectionOf } from "../reading/rejection.ts";
import type { SourceRecord } from "../reading/source.ts";
import { redactTrajectory } from "../redaction/redact-trajectory.ts";
import type { Attachment, Draft } from "../trajectory/draft.ts";
import { ConversionError, type Format } from "../trajectory/format.ts";
import { TRAJECTORY_SCHEMA } from "../trajectory/gymline-extra.ts";
import { CONTENT_ID_VERSION, contentIdentity, ID_VERSION, recordId } from "../trajectory/identity.ts";
import { JsonPieces } from "../trajectory/json-pieces.ts";
import { lintTrajectory } from "../trajectory/lint.ts";
import { detectFormat } from "../trajectory/registry.ts";
import { ATIF_VERSION, type Trajectory } from "../trajectory/schema.ts";
import { taskKeyOf } from "../trajectory/task-key.ts";
import { packDocument } from "./document-file.ts";
import type { IngestSettings } from "./ingest-settings.ts";
import { recordValue } from "./record-value.ts";
import { withUtf8 } from "./utf8-pieces.ts";

/** One trajectory, redacted and identified. */
export interface IngestedTrajectory {
  readonly trajectory: Trajectory;
  readonly row: CatalogRow;
  readonly ordinal: number;
  /** The session as the source names it; `lines`: the file itself is the session. */
  readonly session?: { readonly name: string | null; readonly prefixes: Uint8Array };
  readonly attachments: ReadonlyMap<string, Attachment>;
  /** Texts in which the redactor finds nothing: it need not read them again. */
  readonly clean: ReadonlySet<string>;
}

export interface IngestedRecord {
  readonly trajectories: readonly IngestedTrajectory[];
  readonly rejections: readonly Rejection[];
}

/**
 * Turns one source record into canonical trajectories: parse, detect, convert, redact, identify, lint. Pure; what
 * cannot be used becomes a rejection. Nothing leaves this function unredacted: a redaction fault rejects the record.
 */
export function ingestRecord(record: SourceRecord, settings: IngestSettings): IngestedRecord {
  try {
    const { value, notes, rejections, truncated } = recordValue(record, settings.limits);
    if (Array.isArray(value) && value.length === 0 && rejections.length > 0)
      return { trajectories: [], rejections };
    const chosen = chooseFormat(value, record, settings);
    if ("rejection" in chosen) return { trajectories: [], rejections: [...rejections, chosen.rejection] };
    const drafts = chosen.format.convert({ value, variant: chosen.variant, stem: stemOf(record) });
    const trajectories = drafts.map((draft, ordinal) =>
      finish({
        draft: truncated ? { ...draft, truncated } : draft,
        ordinal,
        record,
        notes,
        format: chosen.format,
        settings,
      }),
    );
    return { trajectories, rejections };
  } catch (error) {
    return { trajectories: [], rejections: [rejectionFor(error, record)] };
  }
}

function chooseFormat(
  value: unknown,
  record: SourceRecord,
  settings: IngestSettings,
): { readonly format: Format; readonly variant: string } | { readonly rejection: Rejection } {
  const { forced } = settings;
  if (forced !== undefined) {
    const detection = forced.detect(value);
    if (detection.match) return { format: forced, variant: detection.variant };
    const reason = `the record is not in the format ${forced.name}: ${missingText(detection.missing)}`;
    return { rejection: reject(record, { code: "not-this-format", reason, remedy: FORMAT_REMEDY }) };
  }
  const choice = detectFormat(value, settings.formats);
  if (choice.kind === "found") return choice;
  if (choice.kind === "ambiguous") {
    return {
      rejection: reject(record, {
        code: "ambiguous-format",
        reason: `the record fits several formats: ${choice.names.join(", ")}`,
        remedy: "say which one it is with --format",
      }),
    };
  }
  const reason =
    choice.nearest === undefined
      ? "no known agent log format"
      : `no known agent log format; nearest is ${choice.nearest.name}, but ${missingText(choice.nearest.missing)}`;
  return { rejection: reject(record, { code: "unknown-format", reason, remedy: FORMAT_REMEDY }) };
}

const FORMAT_REMEDY =
  "`gymline formats` lists what is read; describe a format of your own in a mapping file (--mapping) or remove the file";

function missingText(missing: readonly string[]): string {
  return missing.length === 0
    ? "it lacks what marks that format"
    : `it lacks ${missing.slice(0, 4).join("; ")}`;
}

function finish(options: {
  readonly draft: Draft;
  readonly ordinal: number;
  readonly record: SourceRecord;
  readonly notes: readonly string[];
  readonly format: Format;
  readonly settings: IngestSettings;
}): IngestedTrajectory {
  const { draft, ordinal, record, notes, format, settings } = options;
  const id = recordId(record.bytes, ordinal);
  const blank: Trajectory = {
    schema_version: ATIF_VERSION,
    ...draft.document,
    extra: {
      ...draft.document.extra,
      gymline: {
        schema: TRAJECTORY_SCHEMA,
        id,
        content_id: id,
        id_version: ID_VERSION,
        content_id_version: CONTENT_ID_VERSION,
        ...(draft.session === undefined ? {} : { session: draft.session }),
        ...(draft.domain === undefined ? {} : { domain: draft.domain }),
        task: draft.task,
        outcome: draft.outcome,
        provenance: {
          format: format.name,
          converter: format.version,
          variant: draft.variant,
          source_bytes: record.bytes.length,
          revision: settings.revision,
        },
        redaction: { total: 0, by_type: {}, entries: [] },
        fidelity: { ...draft.fidelity, notes: [...notes, ...draft.fidelity.notes] },
        lint: [...lintTrajectory(draft)],
        ...(draft.startedAt === undefined ? {} : { started_at: draft.startedAt }),
        ...(draft.metadata === undefined ? {} : { metadata: draft.metadata }),
      },
    },
  };
  const { trajectory, clean } = redactTrajectory({ trajectory: blank, redactor: settings.redactor });
  const session = draft.session ?? (record.framing === "lines" ? null : undefined);
  const facts = trajectory.extra.gymline;
  const { contentId, prefixes } = contentIdentity(trajectory, facts.task.id, {
    prefixes: session !== undefined,
  });
  facts.content_id = contentId;
  return {
    trajectory,
    row: catalogRow(trajectory),
    ordinal,
    ...(session === undefined ? {} : { session: { name: facts.session ?? null, prefixes } }),
    attachments: draft.attachments,
    clean,
  };
}

function catalogRow(trajectory: Trajectory): CatalogRow {
  const facts = trajectory.extra.gymline;
  const tools = new Set<string>();
  let agentSteps = 0;
  let calls = 0;
  for (const step of trajectory.steps) {
    if (step.source !== "agent") continue;
    agentSteps += 1;
    for (const call of step.tool_calls ?? []) {
      calls += 1;
      tools.add(call.function_name);
    }
  }
  const { domain } = chooseDomain({ declared: facts.domain, toolNames: tools });
  return {
    id: facts.id,
    contentId: facts.content_id,
    revision: facts.provenance.revision,
    taskKey: taskKeyOf(trajectory),
    taskId: facts.task.id ?? null,
    repo: facts.task.repo ?? null,
    domain,
    format: facts.provenance.format,
    agent: trajectory.agent.name,
    model: trajectory.agent.model_name ?? null,
    success: facts.outcome.success,
    outcomeScore: facts.outcome.score ?? null,
    steps: trajectory.steps.length,
    agentSteps,
    calls,
    redactions: facts.redaction.total,
    warnings: facts.lint.length,
    tokens: facts.fidelity.tokens,
    sourceBytes: facts.provenance.source_bytes,
    startedAt: facts.started_at ?? null,
  };
}

/** Levels of a step down to the text of a result. */
const STEP_DEPTH = 4;

/** The stored form. */
export function documentBytes(trajectory: Trajectory): Uint8Array {
  const { steps, ...rest } = trajectory;
  const json = new JsonPieces(trajectory);
  json.raw(JSON.stringify(rest).slice(0, -1));
  json.raw(',"steps":[');
  for (const [index, step] of steps.entries()) {
    if (index > 0) json.raw(",");
    json.value(step, STEP_DEPTH);
  }
  json.raw("]}");
  return withUtf8(json.take(), packDocument);
}

function stemOf(record: SourceRecord): string {
  const path = record.entry ?? record.source;
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.search(/\.(?:json|jsonl|ndjson|traj|eval|log|txt)?(?:\.json)?(?:\.(?:gz|zst))?$/i);
  return dot > 0 ? name.slice(0, dot) : name;
}

function reject(
  record: SourceRecord,
  fault: { readonly code: string; readonly reason: string; readonly remedy: string },
  jsonPath?: string,
): Rejection {
  const { source, entry, line } = record;
  const path =
    jsonPath === undefined ? record.jsonPath : `${record.jsonPath ?? "$"}${jsonPath.replace(/^\$/, "")}`;
  return rejectionOf({ source, entry, line, jsonPath: path }, fault);
}

/** Faults of the record become its rejection; faults of the program go on up. */
function rejectionFor(error: unknown, record: SourceRecord): Rejection {
  if (error instanceof ConversionError) {
    return reject(record, { code: error.code, reason: error.message, remedy: error.remedy }, error.jsonPath);
  }
  if (error instanceof RecordParseError) {
    const line = error.line === undefined ? record.line : (record.line ?? 1) + error.line - 1;
    return rejectionOf(
      { source: record.source, entry: record.entry, line, jsonPath: record.jsonPath },
      error,
    );
  }
  // Whatever else goes wrong with one record must not stop the run, nor store anything unredacted. The class is
  // named but not the message, which could quote content.
  return reject(record, {
    code: error instanceof Error && error.name === "RedactionError" ? "redaction-failed" : "internal-fault",
    reason: `the record could not be processed (${error instanceof Error ? error.name : "unknown fault"})`,
    remedy: "nothing of it was stored; please report this as a bug with the file's format and this message",
  });
}
