import { sftRow } from "../../shared/dataset/sft-row.ts";
import { memorySource } from "../../shared/reading/byte-streams.ts";
import { readRecords } from "../../shared/reading/read-records.ts";
import { type Rejection, rejectionSchema } from "../../shared/reading/rejection.ts";
import type { SourceRecord } from "../../shared/reading/source.ts";
import { redactTrajectory } from "../../shared/redaction/redact-trajectory.ts";
import { rewardConfigSchema } from "../../shared/reward/config.ts";
import { type IngestedTrajectory, ingestRecord } from "../../shared/stages/ingest-record.ts";
import type { IngestSettings } from "../../shared/stages/ingest-settings.ts";
import { recordValue } from "../../shared/stages/record-value.ts";
import { scoreTrajectory, storedScoreSchema } from "../../shared/stages/score-trajectory.ts";
import { ConversionError } from "../../shared/trajectory/format.ts";
import { detectFormat, isPartOfOne } from "../../shared/trajectory/registry.ts";
import { type Trajectory, trajectorySchema } from "../../shared/trajectory/schema.ts";

/** What became of one mutant. */
export interface Verdict {
  readonly trajectories: number;
  readonly rejections: number;
  readonly redactions: number;
  /** Broken properties, in words; empty for a mutant that is handled as it should be. */
  readonly faults: readonly string[];
}

const reward = rewardConfigSchema.parse({});

/** Reads and ingests a file, and checks that all that comes out is valid and free of `needle`. */
export async function check(input: {
  readonly bytes: Uint8Array;
  readonly needle: string | undefined;
  readonly settings: IngestSettings;
}): Promise<Verdict> {
  const { bytes, needle, settings } = input;
  const faults: string[] = [];
  const counts = { trajectories: 0, rejections: 0, redactions: 0 };
  const framer = { isPart: (value: unknown) => isPartOfOne(value, settings.formats) };
  const source = memorySource("drop/mutant.json", bytes);
  const onRejection = (rejection: Rejection): void => {
    counts.rejections += 1;
    faults.push(...rejectionFaults(rejection));
    if (needle !== undefined && holds(rejection, needle))
      faults.push(`secret in a rejection (${rejection.code})`);
  };
  try {
    for await (const item of readRecords({ source, limits: settings.limits, framer })) {
      if (item.kind === "rejected") {
        onRejection(item.rejection);
        continue;
      }
      const { trajectories, rejections } = ingestRecord(item.record, settings);
      for (const rejection of rejections) {
        onRejection(rejection);
        if (rejection.code === "internal-fault")
          faults.push(`internal fault: ${whereFrom(item.record, settings)}`);
      }
      for (const ingested of trajectories) {
        counts.trajectories += 1;
        counts.redactions += ingested.trajectory.extra.gymline.redaction.total;
        faults.push(...trajectoryFaults(ingested, settings));
        if (needle !== undefined) faults.push(...leaks(ingested, needle));
      }
    }
  } catch (error) {
    faults.push(`thrown: ${stackOf(error)}`);
  }
  return { ...counts, faults };
}

function rejectionFaults(rejection: Rejection): readonly string[] {
  const parsed = rejectionSchema.safeParse(rejection);
  if (!parsed.success) return [`invalid rejection ${rejection.code}: ${parsed.error.message}`];
  return rejection.reason.trim() === "" || rejection.remedy.trim() === ""
    ? [`empty reason: ${rejection.code}`]
    : [];
}

function trajectoryFaults(ingested: IngestedTrajectory, settings: IngestSettings): readonly string[] {
  const { trajectory } = ingested;
  const faults: string[] = [];
  // As it is read back from the store.
  const parsed = trajectorySchema.safeParse(JSON.parse(JSON.stringify(trajectory)));
  if (!parsed.success)
    return [`invalid document (${formatOf(trajectory)}): ${parsed.error.message.slice(0, 600)}`];
  try {
    const { document } = scoreTrajectory(parsed.data, { reward });
    const score = storedScoreSchema.parse(JSON.parse(JSON.stringify(document)));
    const row = sftRow(parsed.data, score);
    if (row !== undefined) {
      const { messages, weights, step_rewards: rewards } = row;
      if (weights.length !== messages.length || rewards.length !== messages.length)
        faults.push("lists not parallel");
    }
  } catch (error) {
    faults.push(`score or row of ${formatOf(trajectory)}: ${stackOf(error)}`);
  }
  const again = redactTrajectory({ trajectory: parsed.data, redactor: settings.redactor }).trajectory;
  if (JSON.stringify(again) !== JSON.stringify(parsed.data))
    faults.push("redacting again changes the document");
  return faults;
}

function formatOf(trajectory: Trajectory): string {
  return trajectory.extra.gymline.provenance.format;
}

/** Whether any text or key of a value holds the needle, however JSON would write it. */
function holds(value: unknown, needle: string): boolean {
  const written = JSON.stringify(value);
  return written.includes(needle) || written.includes(JSON.stringify(needle).slice(1, -1));
}

function leaks(ingested: IngestedTrajectory, needle: string): readonly string[] {
  const { trajectory, row, session, attachments } = ingested;
  const format = formatOf(trajectory);
  const found: string[] = [];
  if (holds(trajectory, needle))
    found.push(`secret in a ${format} document at ${placeOf(trajectory, needle)}`);
  if (holds([row, session?.name], needle)) found.push(`secret in the catalog row of ${format}`);
  for (const { bytes } of attachments.values()) {
    if (Buffer.from(bytes).includes(needle)) found.push(`secret in an attachment of ${format}`);
  }
  const spelt = speltOut(trajectory, "$").find(({ text }) => text.includes(needle));
  if (spelt !== undefined) found.push(`secret in the tokens of ${format} at ${spelt.path}`);
  return found;
}

/** Path of the first text or key that holds the needle; keys on the way that hold it are not shown. */
function placeOf(value: unknown, needle: string, path = "$"): string {
  if (typeof value !== "object" || value === null) return holds(value, needle) ? path : "";
  for (const [key, item] of Object.entries(value)) {
    if (key.includes(needle)) return `a key of ${path}`;
    const found = placeOf(item, needle, `${path}.${key}`);
    if (found !== "") return found;
  }
  return "";
}

/** What lists of token ids, pieces of text and token objects say, one after the other. */
function speltOut(value: unknown, path: string): readonly { readonly path: string; readonly text: string }[] {
  if (typeof value !== "object" || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, item]) => speltOut(item, `${path}.${key}`));
  return Array.isArray(value) ? [{ path, text: value.map(pieceText).join("") }, ...inner] : inner;
}

function pieceText(piece: unknown): string {
  if (typeof piece === "string") return piece;
  if (typeof piece === "number")
    return Number.isInteger(piece) && piece > 0 && piece < 0x110000 ? String.fromCodePoint(piece) : "";
  if (typeof piece !== "object" || piece === null || Array.isArray(piece)) return "";
  if ("token" in piece) return pieceText(piece.token);
  return "bytes" in piece && Array.isArray(piece.bytes) ? piece.bytes.map(pieceText).join("") : "";
}

/** Runs the parts of ingest one by one to tell which of them throws. */
function whereFrom(record: SourceRecord, settings: IngestSettings): string {
  try {
    const { value } = recordValue(record, settings.limits);
    const choice = detectFormat(value, settings.formats);
    if (choice.kind !== "found") return "after detection";
    choice.format.convert({ value, variant: choice.variant, stem: "mutant" });
    return `${choice.format.name}, after conversion`;
  } catch (error) {
    return error instanceof ConversionError ? "after conversion" : stackOf(error);
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error
    ? (error.stack ?? error.message).split("\n").slice(0, 5).join(" | ")
    : String(error);
}
