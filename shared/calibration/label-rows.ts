import { z } from "zod";
import type { Label } from "../contracts/label.ts";
import { krippendorffAlpha } from "../statistics/krippendorff-alpha.ts";
import { meanOf } from "../statistics/mean.ts";
import type { Estimate } from "../statistics/result.ts";
import type { CalibrationDocument, CalibrationLayer } from "./calibration-document.ts";
import type { CalibrationRow } from "./calibration-row.ts";
import { RESAMPLES } from "./compare-scores.ts";

/** A labelled trajectory: its labels, one of each annotator, and its current score document. */
export interface LabelledTrajectory {
  readonly id: string;
  readonly group: string | null;
  readonly labels: readonly Label[];
  readonly document: unknown;
}

export interface LabelRows {
  readonly rows: readonly CalibrationRow[];
  readonly labels: CalibrationDocument["labels"];
  /** Labelled trajectories whose score document has no score of the layer. */
  readonly unscored: number;
}

const figures = {
  total: z.number(),
  process: z.number().nullish(),
  model: z.number().nullish(),
  critic: z.number().nullish(),
};
const layerScoresSchema = z.looseObject({
  ...figures,
  layers: z.array(z.string()),
  /** Without people and calibration: a label must not be compared with itself. */
  automatic: z.looseObject(figures).optional(),
});

/** The automatic score of one layer, or null where the document has none. */
export function layerScore(document: unknown, layer: CalibrationLayer): number | null {
  const scores = layerScoresSchema.safeParse(document);
  if (!scores.success) return null;
  const { automatic = scores.data, layers } = scores.data;
  if (layer !== "total") return automatic[layer] ?? null;
  return layers.some((each) => each !== "human") ? automatic.total : null;
}

/**
 * One row for each labelled trajectory that has a score of the layer. Several annotators are averaged. The total and
 * the critic foresee how good the whole is, so they stand beside the overall label; process and model score steps, so
 * they stand beside the mean of a label's steps where it has some.
 */
export function labelRows(
  trajectories: readonly LabelledTrajectory[],
  { layer, seed }: { readonly layer: CalibrationLayer; readonly seed: number },
): LabelRows {
  const byAnnotator = new Map<string, number>();
  const byKind = new Map<string, number>();
  const units: number[][] = [];
  const rows = trajectories.flatMap(({ id, group, labels, document }) => {
    const score = layerScore(document, layer);
    if (score === null || labels.length === 0) return [];
    const humans = labels.map((label) => humanScore(label, layer));
    for (const [index, { kind }] of humans.entries()) {
      count(byKind, kind);
      count(byAnnotator, labels[index]?.annotator ?? "");
    }
    const values = humans.map(({ value }) => value);
    units.push(values);
    return [{ id, group, score, human: meanOf(values), success: majority(labels) }];
  });
  const alpha = alphaOf(units, seed);
  return {
    rows,
    labels: { by_annotator: sorted(byAnnotator), by_kind: sorted(byKind), alpha },
    unscored: trajectories.length - rows.length,
  };
}

function humanScore(
  label: Label,
  layer: CalibrationLayer,
): { readonly kind: "overall" | "steps"; readonly value: number } {
  const ofSteps = (layer === "process" || layer === "model") && label.steps.length > 0;
  return ofSteps
    ? { kind: "steps", value: meanOf(label.steps.map(({ score }) => score)) }
    : { kind: "overall", value: label.score };
}

/** Null where nobody says so or as many say yes as no. */
function majority(labels: readonly Label[]): boolean | null {
  const votes = labels.reduce((sum, { success }) => sum + (success === null ? 0 : success ? 1 : -1), 0);
  return votes === 0 ? null : votes > 0;
}

function alphaOf(units: readonly (readonly number[])[], seed: number): Estimate | null {
  return units.some((values) => values.length >= 2)
    ? krippendorffAlpha(units, { method: "auto", seed, resamples: RESAMPLES })
    : null;
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function sorted(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
