import { z } from "zod";
import { annotatorSchema, type Label, labelSchema } from "../contracts/label.ts";
import { rubricIds } from "../reward/rubric-ids.ts";

/** What an annotation page saves. Labels are looked at one by one, so that one bad one does not hold up the others. */
const labelsFileSchema = z.object({
  schema: z.literal("gymline.labels.v1"),
  annotator: annotatorSchema,
  page_id: z.string(),
  saved_at: z.string(),
  labels: z.array(z.unknown()),
  /** Trajectories that were begun and have no overall score yet. */
  drafts: z.array(z.unknown()).default([]),
});

/** A file is no file of labels; nothing of it was used. */
export class LabelsFileError extends Error {
  override readonly name = "LabelsFileError";
  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`${file}: ${reason}; give a file that an annotation page saved (gymline annotate --out)`, options);
  }
}

/** Why one label was not taken, and where it stands. */
export interface RefusedLabel {
  readonly file: string;
  /** Place in the file, e.g. `labels[3].score`. */
  readonly place: string;
  readonly trajectoryId: string | null;
  readonly reason: string;
  readonly remedy: string;
}

export interface FileLabel {
  readonly label: Label;
  readonly file: string;
  readonly place: string;
}

export interface ReadLabels {
  readonly labels: readonly FileLabel[];
  readonly refused: readonly RefusedLabel[];
  /** Begun, but without an overall score. */
  readonly drafts: number;
}

/**
 * Reads one file of labels.
 * @param rubrics ids that labels may score; without it, those built in
 * @throws LabelsFileError where it is none
 */
export function readLabelsFile(
  text: string,
  file: string,
  rubrics: readonly string[] = rubricIds,
): ReadLabels {
  const whole = labelsFileSchema.safeParse(parsed(text, file));
  if (!whole.success) {
    const [issue] = whole.error.issues;
    const place = issue?.path.map(String).join(".") ?? "";
    throw new LabelsFileError(file, `${place === "" ? "$" : place}: ${issue?.message ?? "invalid"}`, {
      cause: whole.error,
    });
  }
  const { annotator, labels: values, drafts } = whole.data;
  const labels: FileLabel[] = [];
  const refused: RefusedLabel[] = [];
  for (const [index, value] of values.entries()) {
    const place = `labels[${index}]`;
    const read = readLabel(value, { annotator, rubrics });
    if ("label" in read) labels.push({ label: read.label, file, place });
    else refused.push({ file, ...read, place: `${place}${read.place}` });
  }
  return { labels, refused, drafts: drafts.length };
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw new LabelsFileError(file, "it is no valid JSON", { cause });
  }
}

type Fault = Omit<RefusedLabel, "file">;

function readLabel(
  value: unknown,
  { annotator, rubrics }: { readonly annotator: string; readonly rubrics: readonly string[] },
): { readonly label: Label } | Fault {
  const result = labelSchema.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    return {
      place: (issue?.path ?? [])
        .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
        .join(""),
      trajectoryId: idIn(value),
      reason: issue?.message ?? "invalid",
      remedy: "correct the field, or label the trajectory again",
    };
  }
  const label = result.data;
  const fault = (place: string, reason: string, remedy: string): Fault => ({
    place,
    trajectoryId: label.trajectory_id,
    reason,
    remedy,
  });
  if (label.annotator !== annotator) {
    return fault(".annotator", `it is not the file's, which is ${annotator}`, "give each annotator a file");
  }
  if (Number.isNaN(Date.parse(label.labelled_at))) {
    return fault(".labelled_at", "it is no time", "give it as ISO 8601, such as 2026-01-31T12:00:00Z");
  }
  if (!Object.keys(label.rubrics).every((id) => rubrics.includes(id))) {
    return fault(".rubrics", "it scores a rubric that there is not", `known are ${rubrics.join(", ")}`);
  }
  const indexes = new Set(label.steps.map(({ index }) => index));
  if (indexes.size < label.steps.length) {
    return fault(".steps", "it scores a step twice", "leave one score for each step");
  }
  return { label };
}

function idIn(value: unknown): string | null {
  if (typeof value !== "object" || value === null || !("trajectory_id" in value)) return null;
  const id = value.trajectory_id;
  return typeof id === "string" && /^[0-9a-f]{64}$/.test(id) ? id : null;
}
