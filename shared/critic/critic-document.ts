import { createHash } from "node:crypto";
import { z } from "zod";
import { criticFeatureNames, FEATURES_VERSION } from "./features.ts";

const count = z.int().nonnegative();
const text = z.string();

/** A figure with its 95 % interval (bootstrap over groups); null where it is not defined. */
const estimateSchema = z
  .object({ value: z.number(), low: z.number().nullable(), high: z.number().nullable() })
  .nullable();

const figuresSchema = z.object({
  /** Trajectories, each with one prediction. */
  n: count,
  successes: count,
  groups: count,
  auc: estimateSchema,
  brier: estimateSchema,
  /** Expected calibration error over ten bins of equal width. */
  ece: estimateSchema,
  /** What the ECE of n predictions would be on average if each of them were exactly right. */
  ece_floor: z.number().nullable(),
});

const bySetShape = {
  /** Mean over `macro_sets` of the AUC within a set. */
  macro_auc: estimateSchema,
  /** Sets with at least five successes and five failures. */
  macro_sets: z.array(text),
  sets: z.record(text, figuresSchema),
};

const reportSchema = z.object({
  cross_validation: z.object({
    folds: count,
    /** Which candidate was chosen in each fold. */
    chosen: z.array(text),
    /** By the share of the trajectory that was seen: "0.25", "0.5", "0.75", "final". */
    prefixes: z.record(text, figuresSchema),
    ...bySetShape,
  }),
  /** Null where there is one set only. */
  leave_one_set_out: z.object({ ...bySetShape, skipped: z.record(text, text) }).nullable(),
});

/** What stands beside a trained model: `critic.json`. */
export const criticDocumentSchema = z.object({
  schema: z.literal("gymline.critic.v2"),
  features: z.object({
    version: count,
    names: z.array(text).min(1),
    /** Of the training rows, each trajectory weighing the same. */
    means: z.array(z.number()),
    deviations: z.array(z.number()),
  }),
  model: z.object({
    file: z.string().regex(/^[\w.-]+\.onnx$/),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    kind: text,
    /** Of every candidate, in cross-validation by group. */
    log_loss: z.record(text, z.number()),
    /** The sets that it knows; their place, counted from 1, is what the graph takes. */
    sets: z.array(text),
    /** Already part of the graph. */
    calibration: z.object({ method: z.literal("sigmoid"), slope: z.number(), intercept: z.number() }),
  }),
  training: z.object({
    table_sha256: text,
    trajectories: count,
    successes: count,
    groups: count,
    rows: count,
    rows_used: count,
    sets: z.record(text, z.object({ trajectories: count, successes: count, groups: count })),
    seed: z.int(),
    folds: count,
    prefixes: count,
    resamples: count,
  }),
  report: reportSchema,
  versions: z.record(text, text),
});

export type CriticDocument = Readonly<z.infer<typeof criticDocumentSchema>>;
export type CriticFigures = Readonly<z.infer<typeof figuresSchema>>;
export type Estimate = Readonly<z.infer<typeof estimateSchema>>;

export const CRITIC_DOCUMENT = "critic.json";

/** What a critic is made of, as its files hold it. */
export interface CriticFiles {
  /** Folder or place that errors name. */
  readonly source: string;
  /** Text of `critic.json`. */
  readonly json: string;
  /** The model file that it names. */
  readonly model: Uint8Array;
}

/** A critic that cannot be used. The message names the file, what is wrong and what to do. */
export class CriticError extends Error {
  override readonly name = "CriticError";
}

/** What the model takes for runs of this set: its place, counted from 1, or 0 where the critic does not know it. */
export function criticSetNumber({ model }: Pick<CriticDocument, "model">, set: string): number {
  return model.sets.indexOf(set) + 1;
}

/**
 * Reads `critic.json`.
 * @param source named in errors
 * @throws CriticError where it is no such document, or one for other features than this version computes
 */
export function parseCritic(json: string, source: string): CriticDocument {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new CriticError(`${source} is no valid JSON: train the critic again`, { cause });
  }
  const result = criticDocumentSchema.safeParse(value);
  if (!result.success) {
    const reasons = result.error.issues
      .slice(0, 5)
      .map(({ path, message }) => `${path.map(String).join(".") || "top level"}: ${message}`);
    throw new CriticError(`${source} describes no critic: ${reasons.join("; ")}. Train the critic again.`, {
      cause: result.error,
    });
  }
  const { version, names } = result.data.features;
  if (version !== FEATURES_VERSION || !isSame(names, criticFeatureNames)) {
    throw new CriticError(
      `${source} was trained on version ${version} of the features (${names.length} of them), but this program computes ` +
        `version ${FEATURES_VERSION} (${criticFeatureNames.length}): make the table and train the critic again`,
    );
  }
  return result.data;
}

/** @throws CriticError where the model is not the one that the document describes */
export function checkModelBytes(document: CriticDocument, bytes: Uint8Array, source: string): void {
  const hash = createHash("sha256").update(bytes).digest("hex");
  if (hash === document.model.sha256) return;
  throw new CriticError(
    `${source} is not the model that its ${CRITIC_DOCUMENT} describes (SHA-256 ${hash.slice(0, 12)}…, expected ` +
      `${document.model.sha256.slice(0, 12)}…): copy both files anew, or train the critic again`,
  );
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each, index) => each === b[index]);
}
