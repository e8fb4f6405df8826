import type { Mixed } from "./mix.ts";

/** How far a task's attempts succeed, over all attempts in the store that have a verdict. */
export const DIFFICULTY_BANDS = ["easy", "medium", "hard", "unknown"] as const;
export type DifficultyBand = (typeof DIFFICULTY_BANDS)[number];

/**
 * `easy`: at least 70 % of the attempts succeeded; `hard`: less than 30 %; `unknown`: none has a verdict.
 * @param difficulty 1 − the share of attempts that succeeded; null where nobody knows
 */
export function bandOf(difficulty: number | null): DifficultyBand {
  if (difficulty === null) return "unknown";
  // 1 − 0.7 is a little more than 0.3 in binary fractions.
  const solved = 1 - difficulty + 1e-9;
  if (solved >= 0.7) return "easy";
  return solved >= 0.3 ? "medium" : "hard";
}

/** What was wanted of a group, what there was, and what came in. */
export interface BalancedGroup {
  readonly group: string;
  readonly weight: number;
  readonly available: number;
  readonly taken: number;
}

export interface BalancePlan {
  readonly groupOf: (row: Mixed) => string;
  /** Weights by group; groups that are not named stay out. Without it all weigh the same. */
  readonly shares?: Readonly<Record<string, number>> | undefined;
  /** At most so many rows. */
  readonly limit: number;
  /** At most so many tokens. */
  readonly tokenBudget: number;
  readonly tokens: (id: string) => number;
}

/**
 * Takes rows, which come best first, so that groups get their shares. With a limit or a budget: as far as the supply
 * allows, so what a group lacks goes to the others. With neither: exactly, so the group that is shortest of its share
 * decides how many there are. Rows are dealt out by the method of Sainte-Laguë: the next one goes to the group with the
 * smallest (taken + ½) / weight, so shares hold for every beginning of the sequence.
 */
export function balanced<T extends Mixed>(
  rows: readonly T[],
  plan: BalancePlan,
): {
  readonly taken: ReadonlySet<T>;
  readonly over: ReadonlySet<T>;
  readonly groups: readonly BalancedGroup[];
} {
  const { shares, limit, tokenBudget } = plan;
  const supply = Map.groupBy(rows, plan.groupOf);
  const names = [...new Set([...supply.keys(), ...Object.keys(shares ?? {})])].sort();
  const lanes = names.map((group) => new Lane(group, weightOf(group, shares), supply.get(group) ?? []));
  const dealt = lanes.filter(({ weight, rows: own }) => weight > 0 && own.length > 0);
  const taken = new Set<T>();
  if (limit === Number.POSITIVE_INFINITY && tokenBudget === Number.POSITIVE_INFINITY) {
    const least = Math.min(...dealt.map((lane) => lane.rows.length / lane.weight));
    for (const lane of dealt) {
      for (const row of lane.rows.slice(0, Math.floor(lane.weight * least + 1e-9))) lane.take(row, taken);
    }
    return { taken, over: new Set(), groups: lanes.map(factsOf) };
  }
  const over = deal(dealt, { plan, taken });
  return { taken, over, groups: lanes.map(factsOf) };
}

/** Gives the rows that the budget has no room for. */
function deal<T extends Mixed>(
  lanes: readonly Lane<T>[],
  { plan, taken }: { readonly plan: BalancePlan; readonly taken: Set<T> },
): ReadonlySet<T> {
  const { limit, tokenBudget } = plan;
  const hasBudget = tokenBudget !== Number.POSITIVE_INFINITY;
  const sizeOf = (row: T): number => (hasBudget ? plan.tokens(row.id) : 0);
  const over = new Set<T>();
  // What fits into no budget is no supply.
  const open = new Map(
    lanes.map((lane) => {
      const fitting = lane.rows.filter((row) => sizeOf(row) <= tokenBudget);
      for (const row of lane.rows) if (sizeOf(row) > tokenBudget) over.add(row);
      return [lane, fitting.values()] as const;
    }),
  );
  let left = tokenBudget;
  while (taken.size < limit) {
    let next: Lane<T> | undefined;
    for (const lane of open.keys()) if (next === undefined || lane.turn < next.turn) next = lane;
    if (next === undefined) break;
    let isFull = false;
    let row: T | undefined;
    for (const candidate of open.get(next) ?? []) {
      if (sizeOf(candidate) <= left) {
        row = candidate;
        break;
      }
      over.add(candidate);
      isFull = true;
    }
    if (row === undefined) {
      open.delete(next);
      // Going on without a group that has rows left would bend the shares to whoever has the shortest rows.
      if (isFull) break;
      continue;
    }
    left -= sizeOf(row);
    next.take(row, taken);
  }
  if (taken.size < limit) {
    for (const lane of lanes) for (const row of lane.rows) if (!taken.has(row)) over.add(row);
  }
  return over;
}

class Lane<T> {
  readonly group: string;
  readonly weight: number;
  readonly rows: readonly T[];
  taken = 0;

  constructor(group: string, weight: number, rows: readonly T[]) {
    this.group = group;
    this.weight = weight;
    this.rows = rows;
  }

  get turn(): number {
    return (this.taken + 0.5) / this.weight;
  }

  take(row: T, into: Set<T>): void {
    into.add(row);
    this.taken += 1;
  }
}

function weightOf(group: string, shares: BalancePlan["shares"]): number {
  if (shares === undefined) return 1;
  return Object.hasOwn(shares, group) ? (shares[group] ?? 0) : 0;
}

function factsOf({ group, weight, rows, taken }: Lane<unknown>): BalancedGroup {
  return { group, weight, available: rows.length, taken };
}
