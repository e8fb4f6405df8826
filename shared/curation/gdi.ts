import type { CatalogEntry } from "../contracts/catalog-row.ts";
import { round4 } from "../reward/rounding.ts";

/** Weights of the four parts of the index. */
export interface GdiWeights {
  readonly intrinsic: number;
  readonly utility: number;
  readonly feedback: number;
  readonly freshness: number;
}

export const defaultGdiWeights: GdiWeights = {
  intrinsic: 0.35,
  utility: 0.3,
  feedback: 0.2,
  freshness: 0.15,
};

/** Loss of freshness: 1 / (1 + 0.05 · days). */
export const gdiDecayPerDay = 0.05;
const millisecondsPerDay = 86_400_000;

/** What is known of one trajectory. Times are epoch milliseconds. Missing feedback counts 0.5, a missing date 1. */
export interface GdiInput {
  readonly reward?: number | null | undefined;
  readonly exportCount?: number | null | undefined;
  readonly maxExportCount?: number | null | undefined;
  readonly feedbackScore?: number | null | undefined;
  readonly createdAt?: number | null | undefined;
}

/** Each part and the total in [0, 1], four decimal places. */
export interface GdiScore extends GdiWeights {
  readonly total: number;
}

/** The four weights do not sum to 1 (± 0.01), or one of them is negative. */
export class GdiWeightsError extends Error {
  readonly weights: GdiWeights;
  constructor(weights: GdiWeights, reason: string) {
    super(`GDI weights: ${reason}; give four weights of at least 0 that sum to 1 (within 0.01)`);
    this.name = "GdiWeightsError";
    this.weights = weights;
  }
}

/**
 * GDI of a trajectory, by which stores and exports rank: a weighted mean of its reward, how often it was exported
 * (logarithmic, 1 at `maxExportCount`, default 100), what people said of it and how recent it is.
 * @param now epoch milliseconds at which freshness is measured
 */
export function gdiScore(
  input: GdiInput,
  { now, weights = defaultGdiWeights }: { readonly now: number; readonly weights?: GdiWeights },
): GdiScore {
  checkWeights(weights);
  const intrinsic = clamp(input.reward, 0);
  const utility = utilityOf(input.exportCount ?? 0, input.maxExportCount ?? 100);
  const feedback = clamp(input.feedbackScore, 0.5);
  const freshness = freshnessOf(input.createdAt, now);
  const total =
    weights.intrinsic * intrinsic +
    weights.utility * utility +
    weights.feedback * feedback +
    weights.freshness * freshness;
  return {
    intrinsic: round4(intrinsic),
    utility: round4(utility),
    feedback: round4(feedback),
    freshness: round4(freshness),
    total: round4(Math.min(1, total)),
  };
}

/** GDI of what the catalog holds: freshness is measured at `now`, and feedback is what stands there then. */
export function gdiOf(
  {
    reward,
    exportCount,
    feedback,
    createdAt,
  }: Pick<CatalogEntry, "reward" | "exportCount" | "feedback" | "createdAt">,
  now: number,
): GdiScore {
  return gdiScore({ reward, exportCount, feedbackScore: feedback, createdAt }, { now });
}

/** Ranks by total, best first; equal totals keep their order. Everything is measured at `now`, so no score is stale. */
export function rankByGdi<T extends GdiInput>(
  items: readonly T[],
  options: { readonly now: number; readonly weights?: GdiWeights },
): readonly { readonly item: T; readonly gdi: GdiScore }[] {
  return items
    .map((item) => ({ item, gdi: gdiScore(item, options) }))
    .sort((a, b) => b.gdi.total - a.gdi.total);
}

function utilityOf(exports: number, most: number): number {
  if (!(exports > 0)) return 0;
  // With no maximum to compare with, any use at all is full use.
  if (!(most > 0)) return 1;
  if (exports >= most) return 1;
  return Math.log1p(exports) / Math.log1p(most);
}

function freshnessOf(createdAt: number | null | undefined, now: number): number {
  if (createdAt === null || createdAt === undefined || !Number.isFinite(createdAt)) return 1;
  const days = Math.max(0, (now - createdAt) / millisecondsPerDay);
  return 1 / (1 + gdiDecayPerDay * days);
}

function clamp(value: number | null | undefined, missing: number): number {
  if (value === null || value === undefined || Number.isNaN(value)) return missing;
  return Math.min(1, Math.max(0, value));
}

function checkWeights(weights: GdiWeights): void {
  const parts = [weights.intrinsic, weights.utility, weights.feedback, weights.freshness];
  if (parts.some((part) => !(part >= 0)))
    throw new GdiWeightsError(weights, "a weight is negative or no number");
  const sum = parts.reduce((total, part) => total + part, 0);
  if (!(Math.abs(sum - 1) <= 0.01 + 1e-12)) throw new GdiWeightsError(weights, `they sum to ${sum}`);
}
