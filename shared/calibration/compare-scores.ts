import { agreementOf } from "../statistics/agreement.ts";
import { aucOf } from "../statistics/auc.ts";
import { type BootstrapOptions, bootstrapFigures } from "../statistics/bootstrap.ts";
import { brierOf } from "../statistics/brier.ts";
import { eceOf } from "../statistics/ece.ts";
import { kappaOf } from "../statistics/kappa.ts";
import { kendall, kendallOf } from "../statistics/kendall.ts";
import { meanOf } from "../statistics/mean.ts";
import { type PairCounts, pairCounts } from "../statistics/pair-counts.ts";
import { pearson, pearsonOf } from "../statistics/pearson.ts";
import type { Correlation, Estimate, PValue } from "../statistics/result.ts";
import { spearman, spearmanOf } from "../statistics/spearman.ts";
import { type CalibrationRow, clustersOf, onUnitScale, requireComparable } from "./calibration-row.ts";

/** From this score on, a thing counts as good where kappa is of two categories. */
export const GOOD_FROM = 0.5;
/** Bins of equal width for the weighted kappa, and for the calibration error. */
export const KAPPA_BINS = 5;
export const RESAMPLES = 1000;
export const ECE_BINS = { binning: "equal_width", bins: 10 } as const;

/** How far automatic scores and people agree. Intervals are by the bootstrap, which draws groups whole. */
export interface ScoreComparison {
  readonly n: number;
  /** Groups, rows without one counted by themselves. */
  readonly groups: number;
  /** p-values take rows as independent, whatever their groups. */
  readonly pearson: Correlation;
  readonly spearman: Correlation;
  readonly kendall: Correlation;
  /** Share of pairs that both order alike; a tie on one side only is a disagreement. */
  readonly agreement: Estimate;
  readonly mean_absolute_error: Estimate;
  readonly max_error: number;
  readonly min_error: number;
  readonly seed: number;
  readonly resamples: number;
  /** Only where all scores lie in [0, 1]. */
  readonly unit: UnitComparison | null;
  /** Only where people said of some whether they were solved, and scores lie in [0, 1]. */
  readonly success: SuccessComparison | null;
}

interface UnitComparison {
  /** Cohen's, of good (0.5 and above) and not. */
  readonly kappa: Estimate;
  /** Quadratic weights, five bins of equal width. */
  readonly weighted_kappa: Estimate;
  /** Ten bins of equal width. */
  readonly expected_calibration_error: Estimate;
  /** Mean squared error. */
  readonly brier: Estimate;
}

interface SuccessComparison {
  readonly auc: Estimate;
  readonly brier: Estimate;
}

/** @throws CalibrationError where there are fewer than two rows or a value is not finite */
export function compareScores(
  rows: readonly CalibrationRow[],
  options: Omit<BootstrapOptions, "clusters">,
): ScoreComparison {
  requireComparable(rows);
  const unit = onUnitScale(rows);
  const clusters = clustersOf(rows);
  const settings = { method: "auto", resamples: RESAMPLES, ...options } as const;
  const figures = bootstrapFigures(
    { n: rows.length, figures: (indices) => figuresOf({ rows, unit }, indices) },
    { ...settings, clusters },
  );
  const [scores, humans] = [rows.map(({ score }) => score), rows.map(({ human }) => human)];
  const errors = rows.map(({ score, human }) => Math.abs(score - human));
  return {
    n: rows.length,
    groups: new Set(clusters).size,
    pearson: tested(figures.pearson, pearson(scores, humans)),
    spearman: tested(figures.spearman, spearman(scores, humans)),
    kendall: tested(figures.kendall, kendall(scores, humans)),
    agreement: figures.agreement,
    mean_absolute_error: figures.error,
    max_error: errors.reduce((most, error) => Math.max(most, error), 0),
    min_error: errors.reduce((least, error) => Math.min(least, error), Number.POSITIVE_INFINITY),
    seed: settings.seed,
    resamples: settings.resamples,
    unit: unit
      ? {
          kappa: figures.kappa,
          weighted_kappa: figures.weighted,
          expected_calibration_error: figures.ece,
          brier: figures.brier,
        }
      : null,
    success: unit ? compareWithSuccess(rows, settings) : null,
  };
}

type FigureName =
  | "pearson"
  | "spearman"
  | "kendall"
  | "agreement"
  | "error"
  | "kappa"
  | "weighted"
  | "ece"
  | "brier";

function figuresOf(
  { rows, unit }: { readonly rows: readonly CalibrationRow[]; readonly unit: boolean },
  indices: readonly number[],
): Readonly<Record<FigureName, number | null>> {
  const picked = indices.flatMap((index) => rows[index] ?? []);
  const [score, human] = [picked.map((row) => row.score), picked.map((row) => row.human)];
  const counts = pairCounts(score, human);
  const categories = (of: (value: number) => number) => ({ a: score.map(of), b: human.map(of) });
  return {
    pearson: pearsonOf(score, human),
    spearman: spearmanOf(score, human),
    kendall: kendallOf(counts),
    agreement: agreementOf(withoutSelfPairs(counts, indices)),
    error: meanOf(picked.map((row) => Math.abs(row.score - row.human))),
    kappa: unit ? kappaOf(categories(goodness), { categories: 2, weights: "none" }) : null,
    weighted: unit ? kappaOf(categories(bin), { categories: KAPPA_BINS, weights: "quadratic" }) : null,
    ece: unit ? eceOf({ predicted: score, observed: human }, ECE_BINS) : null,
    brier: unit ? brierOf(score, human) : null,
  };
}

function goodness(value: number): number {
  return value >= GOOD_FROM ? 1 : 0;
}

function bin(value: number): number {
  return Math.min(KAPPA_BINS - 1, Math.floor(value * KAPPA_BINS));
}

/** A row that was drawn twice agrees with itself: that says nothing of the scores. */
function withoutSelfPairs(counts: PairCounts, indices: readonly number[]): PairCounts {
  const drawn = new Map<number, number>();
  let self = 0;
  for (const index of indices) {
    const before = drawn.get(index) ?? 0;
    self += before;
    drawn.set(index, before + 1);
  }
  return { ...counts, pairs: counts.pairs - self, tiedBoth: counts.tiedBoth - self };
}

/** The correlation with the bootstrap's interval in place of the formula's, which takes rows as independent. */
function tested(estimate: Estimate, correlation: Correlation): Correlation {
  if (estimate.value === null || correlation.value === null) return correlation;
  const test: PValue = correlation.test;
  return { ...correlation, interval: estimate.interval, test };
}

function compareWithSuccess(
  rows: readonly CalibrationRow[],
  options: BootstrapOptions,
): SuccessComparison | null {
  const known = rows.flatMap(({ success, ...row }) => (success === null ? [] : [{ ...row, success }]));
  if (known.length === 0) return null;
  const figures = (indices: readonly number[]) => {
    const picked = indices.flatMap((index) => known[index] ?? []);
    const scores = picked.map(({ score }) => score);
    return {
      auc: aucOf(
        scores,
        picked.map(({ success }) => success),
      ),
      brier: brierOf(
        scores,
        picked.map(({ success }) => (success ? 1 : 0)),
      ),
    };
  };
  const { auc, brier } = bootstrapFigures(
    { n: known.length, figures },
    { ...options, clusters: clustersOf(known) },
  );
  return { auc: auc.value === null && auc.n >= 2 ? { ...auc, why: "one_class" } : auc, brier };
}
