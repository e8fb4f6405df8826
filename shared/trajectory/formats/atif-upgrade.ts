import { ATIF_VERSION, stepSchema } from "../schema.ts";
import { isoTimestamp } from "../timestamp.ts";
import { field, filled, list, record, records } from "./read.ts";

type Mutable = Record<string, unknown>;

interface Sink {
  drop(path: string, reason: string): void;
  note(text: string): void;
}

/** Spellings that producers use and Harbor's models take, with the registered media type. */
const MEDIA_ALIASES: ReadonlyMap<string, string> = new Map([
  ["audio/mp3", "audio/mpeg"],
  ["audio/mpga", "audio/mpeg"],
  ["audio/x-mpeg", "audio/mpeg"],
  ["audio/x-wav", "audio/wav"],
  ["audio/wave", "audio/wav"],
  ["audio/vnd.wave", "audio/wav"],
  ["audio/x-m4a", "audio/mp4"],
  ["audio/m4a", "audio/mp4"],
  ["audio/x-aac", "audio/aac"],
  ["audio/x-flac", "audio/flac"],
  ["audio/x-aiff", "audio/aiff"],
]);

/**
 * Brings a document of an earlier version, and what Python's models take beyond the strict schema, into the form
 * of v1.8. Works in place on `document`, a copy that the caller owns. Content stays as it is.
 */
export function upgradeAtif(document: Mutable, sink: Sink): void {
  const open: Mutable[] = [document];
  for (let at = 0; at < open.length; at += 1) {
    const trajectory = open[at];
    if (trajectory === undefined) continue;
    for (const step of records(trajectory["steps"])) upgradeStep(step as Mutable, sink);
    for (const sub of records(trajectory["subagent_trajectories"])) {
      const embedded = sub as Mutable;
      if (/^ATIF-v1\.[0-8]$/.test(filled(embedded["schema_version"]) ?? ""))
        embedded["schema_version"] = ATIF_VERSION;
      open.push(embedded);
    }
  }
}

function upgradeStep(step: Mutable, sink: Sink): void {
  const given = field(step, "timestamp");
  if (given !== undefined && given !== null && !stepSchema.shape.timestamp.safeParse(given).success) {
    const timestamp = isoTimestamp(given);
    if (timestamp === undefined) {
      delete step["timestamp"];
      sink.drop("steps[*].timestamp", "not a point in time that ATIF can hold");
    } else {
      step["timestamp"] = timestamp;
      sink.note("a timestamp was written in the form that ATIF takes");
    }
  }
  upgradeContent(field(step, "message"), sink);
  for (const result of records(field(field(step, "observation"), "results"))) {
    upgradeContent(field(result, "content"), sink);
    upgradeReferences(result as Mutable, sink);
  }
}

function upgradeContent(content: unknown, sink: Sink): void {
  for (const part of records(content)) {
    const source = record(field(part, "source"));
    const type = filled(field(source, "media_type"))?.trim().toLowerCase();
    const known = type === undefined ? undefined : MEDIA_ALIASES.get(type);
    if (source === undefined || known === undefined) continue;
    (source as Mutable)["media_type"] = known;
    sink.note("a media type was written in its registered spelling");
  }
}

/** Up to v1.6 a sub-agent could be named by its session alone, which v1.7 no longer takes as a reference. */
function upgradeReferences(result: Mutable, sink: Sink): void {
  const references = list(field(result, "subagent_trajectory_ref"));
  if (references === undefined) return;
  const resolvable = references.filter((reference) => !namesSessionOnly(reference));
  const sessions = references.filter(namesSessionOnly).map((reference) => field(reference, "session_id"));
  if (sessions.length === 0) return;
  if (resolvable.length > 0) result["subagent_trajectory_ref"] = resolvable;
  else delete result["subagent_trajectory_ref"];
  result["extra"] = { ...record(field(result, "extra")), subagent_session_ids: sessions };
  sink.note("references to sub-agents by session alone were moved to the result's extra");
}

function namesSessionOnly(reference: unknown): boolean {
  return (
    typeof field(reference, "session_id") === "string" &&
    typeof field(reference, "trajectory_id") !== "string" &&
    typeof field(reference, "trajectory_path") !== "string"
  );
}
