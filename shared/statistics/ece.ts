import { type BootstrapOptions, bootstrap } from "./bootstrap.ts";
import { requirePaired, requireUnit } from "./inputs.ts";
import type { Estimate } from "./result.ts";
import { ascending, quantileOfSorted } from "./sorted-quantile.ts";

/**
 * How predictions are put into bins. `equal_width`: (0, 1/k], (1/k, 2/k] …, 0 in the first. `equal_mass`: between the
 * quantiles (type 7) 1/k, 2/k … of the predictions; equal predictions always share a bin.
 */
export interface EceBins {
  readonly binning: "equal_width" | "equal_mass";
  readonly bins: number;
}

interface Calibrated {
  readonly predicted: readonly number[];
  readonly observed: readonly number[];
}

/** One bin that holds something. */
export interface ReliabilityBin {
  readonly n: number;
  readonly meanPredicted: number;
  readonly meanObserved: number;
}

/** The points of a reliability diagram, lowest predictions first; empty bins are left out. */
export function reliabilityBins(
  { predicted, observed }: Calibrated,
  bins: EceBins,
): readonly ReliabilityBin[] {
  const edges = innerEdges(predicted, bins);
  const sums = Array.from({ length: bins.bins }, () => ({ n: 0, predicted: 0, observed: 0 }));
  for (const [index, value] of predicted.entries()) {
    const sum = sums[edges.filter((edge) => edge < value).length];
    if (sum === undefined) continue;
    sum.n += 1;
    sum.predicted += value;
    sum.observed += observed[index] ?? 0;
  }
  return sums
    .filter(({ n }) => n > 0)
    .map((sum) => ({ n: sum.n, meanPredicted: sum.predicted / sum.n, meanObserved: sum.observed / sum.n }));
}

function innerEdges(predicted: readonly number[], { binning, bins }: EceBins): readonly number[] {
  const shares = Array.from({ length: bins - 1 }, (_, index) => (index + 1) / bins);
  if (binning === "equal_width") return shares;
  const sorted = [...predicted].sort(ascending);
  return shares.map((share) => quantileOfSorted(sorted, share));
}

export function eceOf(data: Calibrated, bins: EceBins): number | null {
  const n = data.predicted.length;
  if (n === 0) return null;
  let sum = 0;
  for (const bin of reliabilityBins(data, bins)) {
    sum += (bin.n / n) * Math.abs(bin.meanPredicted - bin.meanObserved);
  }
  return sum;
}

/**
 * Expected calibration error (Naeini, Cooper and Hauskrecht 2015): the mean distance of predicted and observed means
 * within bins, weighted by their size. Biased upwards where bins hold little. Bootstrap interval.
 */
export function expectedCalibrationError(data: Calibrated, options: EceBins & BootstrapOptions): Estimate {
  const { predicted, observed } = data;
  requirePaired(predicted, observed);
  requireUnit(predicted, "predicted");
  requireUnit(observed, "observed");
  const statistic = (indices: readonly number[]): number | null => {
    const pick = (values: readonly number[]): number[] => indices.map((index) => values[index] ?? 0);
    return eceOf({ predicted: pick(predicted), observed: pick(observed) }, options);
  };
  return bootstrap({ n: predicted.length, statistic }, options);
}
