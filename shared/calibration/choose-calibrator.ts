import { meanOf } from "../statistics/mean.ts";
import { createRandom } from "../statistics/random.ts";
import { applyCalibrator, type Calibrator, type CalibratorMethod } from "./calibrator.ts";
import { fitIsotonic } from "./fit-isotonic.ts";
import { type FitPoint, fitLinear } from "./fit-linear.ts";
import { fitPlatt } from "./fit-platt.ts";

/** With fewer rows a step function follows chance. */
export const ISOTONIC_FROM = 50;
const MOST_FOLDS = 5;

/** The simplest first. */
const FITS: Readonly<Record<CalibratorMethod, (points: readonly FitPoint[]) => Calibrator>> = {
  identity: () => ({ method: "identity", parameters: {} }),
  linear: fitLinear,
  platt: fitPlatt,
  isotonic: fitIsotonic,
};

/** What a way of calibrating makes of rows that it was not fitted to. */
export interface Candidate {
  readonly method: CalibratorMethod;
  /** One for each row, by the fold that held its group out. */
  readonly heldOut: readonly number[];
  /** Mean loss of squared error against the scores as they are; below 0 where it makes them worse. */
  readonly gain: number;
  /** Standard error of the gain, by groups. */
  readonly gainError: number;
}

interface Data {
  readonly points: readonly FitPoint[];
  /** The group of each point. */
  readonly clusters: readonly string[];
}

export interface Choice {
  readonly folds: number;
  readonly candidates: readonly Candidate[];
  readonly chosen: Candidate;
  /** The chosen way, fitted to all rows. */
  readonly calibrator: Calibrator;
}

/**
 * Tries the ways, the simplest first, by cross-validation that holds groups out whole. A way takes the place of a simpler
 * one where its squared error is less by more than one standard error; the first is to leave the scores as they are.
 * @param clusters the group of each point; at least two different ones
 */
export function chooseCalibrator(
  points: readonly FitPoint[],
  { clusters, seed }: { readonly clusters: readonly string[]; readonly seed: number },
): Choice {
  const folds = foldsOf(clusters, seed);
  const methods = (["identity", "linear", "platt", "isotonic"] as const).filter(
    (method) => method !== "isotonic" || points.length >= ISOTONIC_FROM,
  );
  const count = Math.max(...folds) + 1;
  const scores = points.map(({ score }) => score);
  const candidates = methods.map((method) => {
    const fitted = Array.from({ length: count }, (_, fold) =>
      FITS[method](points.filter((_point, index) => folds[index] !== fold)),
    );
    const heldOut = points.map(({ score }, index) => {
      const calibrator = fitted[folds[index] ?? 0];
      return calibrator === undefined ? score : applyCalibrator(calibrator, score);
    });
    return { method, heldOut, ...gainOf({ points, clusters }, { from: scores, to: heldOut }) };
  });
  const chosen = simplestNotBeaten({ points, clusters }, candidates);
  return { folds: count, candidates, chosen, calibrator: FITS[chosen.method](points) };
}

function simplestNotBeaten(data: Data, candidates: readonly Candidate[]): Candidate {
  let chosen: Candidate | undefined;
  for (const candidate of candidates) {
    const { gain, gainError } =
      chosen === undefined
        ? { gain: Number.POSITIVE_INFINITY, gainError: 0 }
        : gainOf(data, { from: chosen.heldOut, to: candidate.heldOut });
    // Rounding is no gain.
    if (gain > Math.max(gainError, 1e-12)) chosen = candidate;
  }
  if (chosen === undefined) throw new RangeError("no way of calibrating was tried");
  return chosen;
}

/** Groups in random order, the largest first, each to the fold that is smallest by then. */
function foldsOf(clusters: readonly string[], seed: number): readonly number[] {
  const sizes = new Map<string, number>();
  for (const name of clusters) sizes.set(name, (sizes.get(name) ?? 0) + 1);
  const order = createRandom(seed)
    .shuffled([...sizes])
    .sort(([, a], [, b]) => b - a);
  const filled = new Array<number>(Math.min(MOST_FOLDS, sizes.size)).fill(0);
  const foldOf = new Map<string, number>();
  for (const [name, size] of order) {
    const fold = filled.indexOf(Math.min(...filled));
    foldOf.set(name, fold);
    filled[fold] = (filled[fold] ?? 0) + size;
  }
  return clusters.map((name) => foldOf.get(name) ?? 0);
}

function gainOf(
  { points, clusters }: Data,
  predictions: { readonly from: readonly number[]; readonly to: readonly number[] },
): { readonly gain: number; readonly gainError: number } {
  const { from, to } = predictions;
  const gains = points.map(
    ({ human }, index) => ((from[index] ?? 0) - human) ** 2 - ((to[index] ?? 0) - human) ** 2,
  );
  const gain = meanOf(gains);
  const sums = new Map<string, number>();
  for (const [index, name] of clusters.entries()) {
    sums.set(name, (sums.get(name) ?? 0) + (gains[index] ?? 0) - gain);
  }
  let squares = 0;
  for (const sum of sums.values()) squares += sum ** 2;
  const groups = sums.size;
  return { gain, gainError: Math.sqrt((groups / (groups - 1)) * squares) / points.length };
}
