import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { z } from "zod";
import { estimateSchema } from "../statistics/result-schema.ts";
import { CalibrationError } from "./calibration-error.ts";
import { applyCalibrator, calibratorParameters } from "./calibrator.ts";

/** Which score is calibrated. */
export const calibrationLayerSchema = z.enum(["total", "process", "model", "critic"]);
export type CalibrationLayer = z.infer<typeof calibrationLayerSchema>;

const methodSchema = z.enum(["identity", "linear", "platt", "isotonic"]);

/** Of held-out rows. */
const errorsSchema = z.strictObject({
  brier: estimateSchema,
  mean_absolute_error: estimateSchema,
  expected_calibration_error: estimateSchema,
});

const common = {
  schema: z.literal("gymline.calibration.v1"),
  /** First 16 hex digits of SHA-256 over the canonical JSON of all but this and `created_at`. */
  version: z.string().regex(/^[0-9a-f]{16}$/),
  layer: calibrationLayerSchema,
  /** Rows it was fitted to, and the groups they stand in. */
  n: z.int().positive(),
  groups: z.int().positive(),
  /** How many labels by whom, and of what: the whole (`overall`), or single steps. */
  labels: z.strictObject({
    by_annotator: z.record(z.string(), z.int().nonnegative()),
    by_kind: z.record(z.string(), z.int().nonnegative()),
    /** Krippendorff's alpha of the annotators; null where no two of them labelled the same. */
    alpha: estimateSchema.nullable(),
  }),
  cross_validation: z.strictObject({
    folds: z.int().min(2),
    /** Brier score of each way on held-out rows, and what it gains on the scores as they are. */
    candidates: z.array(
      z.strictObject({
        method: methodSchema,
        brier: estimateSchema,
        gain: z.number(),
        gain_error: z.number(),
      }),
    ),
    before: errorsSchema,
    after: errorsSchema,
  }),
  seed: z.int(),
  /** ISO 8601. */
  created_at: z.string(),
} as const;

const of = <Method extends keyof typeof calibratorParameters>(method: Method) =>
  z.strictObject({ ...common, method: z.literal(method), parameters: calibratorParameters[method] });

/** A fitted calibration of one layer, with what shows how good it is. */
export const calibrationDocumentSchema = z.discriminatedUnion("method", [
  of("identity"),
  of("linear"),
  of("platt"),
  of("isotonic"),
]);
export type CalibrationDocument = Readonly<z.infer<typeof calibrationDocumentSchema>>;

/** What people would say of something with this automatic score, in [0, 1]; never falls where the score rises. */
export function applyCalibration(document: CalibrationDocument, score: number): number {
  return applyCalibrator(document, score);
}

/** The version of a document, whatever version it states. */
export function calibrationVersion(document: Readonly<Record<string, unknown>>): string {
  const { version: _version, created_at: _created, ...rest } = document;
  const text = canonicalize(rest) ?? "";
  return createHash("sha256").update(text, "utf8").digest("hex").slice(0, 16);
}

/**
 * Reads a calibration file, given as its text or as what that text holds.
 * @throws CalibrationError naming the source, the field and the remedy
 */
export function parseCalibration(json: unknown, sourceName: string): CalibrationDocument {
  const remedy = "make it again with gymline calibrate";
  let value = json;
  try {
    if (typeof json === "string") value = JSON.parse(json);
  } catch (cause) {
    throw new CalibrationError(`calibration ${sourceName} is no JSON; ${remedy}`, { cause });
  }
  const result = calibrationDocumentSchema.safeParse(value);
  if (!result.success) {
    const reasons = result.error.issues
      .slice(0, 5)
      .map(({ path, message }) => `${path.join(".") || "$"}: ${message}`);
    throw new CalibrationError(`calibration ${sourceName}: ${reasons.join("; ")}; ${remedy}`, {
      cause: result.error,
    });
  }
  const version = calibrationVersion(result.data);
  if (version === result.data.version) return result.data;
  throw new CalibrationError(
    `calibration ${sourceName} states version ${result.data.version}, but its content has ${version}: it was changed by hand; ${remedy}`,
  );
}
