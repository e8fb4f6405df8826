import { normalCritical } from "../statistics/distributions.ts";
import { DEFAULT_LEVEL, type Interval, type LevelOption } from "../statistics/result.ts";
import type { PairTally } from "./tally.ts";

/** How strong the votes find a trajectory among the attempts at its task. */
export interface Strength {
  readonly trajectoryId: string;
  /** Natural logarithm of the odds of being preferred to an attempt of strength 0, which is about the task's mean. */
  readonly strength: number;
  readonly interval: Interval;
  /** Votes it was part of, skips aside. */
  readonly n: number;
}

/**
 * Bradley and Terry's strengths (1952) of the trajectories of one task, strongest first. A tie is half a vote for each.
 * Each trajectory also has half a win and half a defeat against one of strength 0, without which one
 * that never lost would be infinitely strong (a maximum a posteriori estimate); so the figures are drawn towards 0.
 * Intervals come from the inverse of the observed information. Skips do not count.
 */
export function strengths(votes: readonly PairTally[], options: LevelOption = {}): readonly Strength[] {
  const { level = DEFAULT_LEVEL } = options;
  const counted = votes.filter(({ left, right, tie }) => left + right + tie > 0);
  const ids = [...new Set(counted.flatMap(({ record }) => [record.left_id, record.right_id]))].sort();
  const places = new Map(ids.map((id, index) => [id, index]));
  const games = counted.map(({ record, left, right, tie }) => ({
    first: places.get(record.left_id) ?? 0,
    second: places.get(record.right_id) ?? 0,
    won: left + tie / 2,
    of: left + right + tie,
  }));
  const fit = maximum(ids.length, games);
  const critical = normalCritical(level);
  const found = ids.map((trajectoryId, index): Strength => {
    const strength = fit.values[index] ?? 0;
    const error = Math.sqrt(fit.covariance[index]?.[index] ?? 0);
    return {
      trajectoryId,
      strength,
      interval: {
        level,
        method: "asymptotic_normal",
        low: strength - critical * error,
        high: strength + critical * error,
      },
      n: games
        .filter(({ first, second }) => first === index || second === index)
        .reduce((sum, { of }) => sum + of, 0),
    };
  });
  return found.sort((a, b) => b.strength - a.strength || (a.trajectoryId < b.trajectoryId ? -1 : 1));
}

interface Game {
  readonly first: number;
  readonly second: number;
  readonly won: number;
  readonly of: number;
}

/** Newton's method; the log likelihood is strictly concave because of the half wins and defeats. */
function maximum(
  size: number,
  games: readonly Game[],
): { readonly values: readonly number[]; readonly covariance: readonly (readonly number[])[] } {
  let values = Array.from({ length: size }, () => 0);
  for (let round = 0; round < 200; round += 1) {
    const { gradient, information } = derivatives(values, games);
    const step = times(inverse(information), gradient);
    // Far from the maximum a full step may overshoot: none is longer than 1 in any direction.
    const longest = Math.max(1, ...step.map(Math.abs));
    values = values.map((value, index) => value + (step[index] ?? 0) / longest);
    if (Math.max(0, ...step.map(Math.abs)) < 1e-10) break;
  }
  return { values, covariance: inverse(derivatives(values, games).information) };
}

function derivatives(
  values: readonly number[],
  games: readonly Game[],
): { readonly gradient: readonly number[]; readonly information: readonly (readonly number[])[] } {
  const gradient = values.map((value) => 0.5 - logistic(value));
  const information = values.map((value, row) =>
    values.map((_, column) => (row === column ? logistic(value) * logistic(-value) : 0)),
  );
  const add = (row: number, column: number, amount: number): void => {
    const line = information[row];
    if (line !== undefined) line[column] = (line[column] ?? 0) + amount;
  };
  for (const { first, second, won, of } of games) {
    const p = logistic((values[first] ?? 0) - (values[second] ?? 0));
    gradient[first] = (gradient[first] ?? 0) + won - of * p;
    gradient[second] = (gradient[second] ?? 0) - won + of * p;
    const weight = of * p * (1 - p);
    add(first, first, weight);
    add(second, second, weight);
    add(first, second, -weight);
    add(second, first, -weight);
  }
  return { gradient, information };
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function times(matrix: readonly (readonly number[])[], vector: readonly number[]): readonly number[] {
  return matrix.map((row) => row.reduce((sum, value, index) => sum + value * (vector[index] ?? 0), 0));
}

/** Gauss and Jordan's elimination; the matrix is positive definite, so no pivot is 0. */
function inverse(matrix: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const size = matrix.length;
  const rows = matrix.map((row, index) => [...row, ...row.map((_, column) => (column === index ? 1 : 0))]);
  for (let pivot = 0; pivot < size; pivot += 1) {
    const scale = rows[pivot]?.[pivot] ?? 1;
    const line = (rows[pivot] ?? []).map((value) => value / scale);
    rows[pivot] = line;
    for (let other = 0; other < size; other += 1) {
      const factor = rows[other]?.[pivot] ?? 0;
      if (other === pivot || factor === 0) continue;
      rows[other] = (rows[other] ?? []).map((value, index) => value - factor * (line[index] ?? 0));
    }
  }
  return rows.map((row) => row.slice(size));
}
