import { normalCritical } from "./distributions.ts";
import { levelOf, requireSameLength, StatisticsInputError } from "./inputs.ts";
import { type Estimate, type Interval, type LevelOption, noInterval, notDefined } from "./result.ts";

/** What a disagreement costs: all the same, by the distance of the categories, or by its square. */
export type KappaWeights = "none" | "linear" | "quadratic";

/** What each of two raters said of the same things, in the same order. */
interface Raters {
  readonly a: readonly number[];
  readonly b: readonly number[];
}

interface KappaScale {
  /** How many categories there are, in order. */
  readonly categories: number;
  readonly weights: KappaWeights;
}

/**
 * Cohen's kappa (1960), weighted (1968) if asked for, of two raters' category numbers 0 … categories − 1. Interval by
 * the large-sample error of Fleiss, Cohen and Everitt (1969).
 */
export function kappa(raters: Raters, { level: asked, ...scale }: KappaScale & LevelOption): Estimate {
  const level = levelOf(asked === undefined ? {} : { level: asked });
  const parts = kappaParts(raters, scale);
  const n = raters.a.length;
  if (parts === null) return notDefined(n, n === 0 ? "too_few" : "constant");
  return { value: parts.kappa, n, interval: kappaInterval(parts, level) };
}

/** The bare value, or null where both raters only ever give one and the same category. */
export function kappaOf(raters: Raters, scale: KappaScale): number | null {
  return kappaParts(raters, scale)?.kappa ?? null;
}

interface KappaParts {
  readonly kappa: number;
  readonly n: number;
  readonly variance: number;
}

function kappaParts({ a, b }: Raters, scale: KappaScale): KappaParts | null {
  requireSameLength(a, b);
  const { categories, weights } = scale;
  const n = a.length;
  const cells = new Map<number, number>();
  const rows = new Array<number>(categories).fill(0);
  const columns = new Array<number>(categories).fill(0);
  for (const [index, first] of a.entries()) {
    const second = b[index] ?? -1;
    for (const category of [first, second]) {
      if (Number.isInteger(category) && category >= 0 && category < categories) continue;
      throw new StatisticsInputError(`${category} is no category: they are numbered 0 to ${categories - 1}`);
    }
    const cell = first * categories + second;
    cells.set(cell, (cells.get(cell) ?? 0) + 1 / n);
    rows[first] = (rows[first] ?? 0) + 1 / n;
    columns[second] = (columns[second] ?? 0) + 1 / n;
  }
  const weight = agreementWeight(scale.categories, weights);
  const mean = (shares: readonly number[], of: number): number =>
    shares.reduce((sum, share, category) => sum + share * weight(of, category), 0);
  const rowMeans = rows.map((_, category) => mean(columns, category));
  const columnMeans = columns.map((_, category) => mean(rows, category));
  const expected = rows.reduce((sum, share, category) => sum + share * (rowMeans[category] ?? 0), 0);
  if (n === 0 || 1 - expected < 1e-14) return null;
  const split = (cell: number): readonly [number, number] => [
    Math.floor(cell / categories),
    cell % categories,
  ];
  let observed = 0;
  for (const [cell, share] of cells) observed += share * weight(...split(cell));
  const value = (observed - expected) / (1 - expected);
  let spread = 0;
  for (const [cell, share] of cells) {
    const [row, column] = split(cell);
    const chance = (rowMeans[row] ?? 0) + (columnMeans[column] ?? 0);
    spread += share * (weight(row, column) - chance * (1 - value)) ** 2;
  }
  const excess = spread - (value - expected * (1 - value)) ** 2;
  // What rounding leaves of two equal numbers is no variance.
  return { kappa: value, n, variance: excess < 1e-13 ? 0 : excess / (n * (1 - expected) ** 2) };
}

function agreementWeight(categories: number, weights: KappaWeights): (a: number, b: number) => number {
  const furthest = categories - 1;
  if (weights === "none") return (a, b) => (a === b ? 1 : 0);
  if (weights === "linear") return (a, b) => 1 - Math.abs(a - b) / furthest;
  return (a, b) => 1 - ((a - b) / furthest) ** 2;
}

function kappaInterval({ kappa: value, n, variance }: KappaParts, level: number): Interval {
  const method = "asymptotic_normal";
  if (n < 2) return noInterval(level, method, "too_few");
  if (variance === 0) return noInterval(level, method, "no_variance");
  const half = normalCritical(level) * Math.sqrt(variance);
  return { level, method, low: Math.max(-1, value - half), high: Math.min(1, value + half) };
}
