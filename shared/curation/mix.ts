import { z } from "zod";

/** How many of what passed the filters are taken, and in which order they stand. */
export const mixSchema = z.strictObject({
  /** No domain makes up more than this share of the rows. */
  maxDomainShare: z.number().gt(0).max(1).optional(),
  /** At most so many tokens in all, by an estimate from characters. */
  tokenBudget: z.int().positive().optional(),
  /**
   * `best`: by reward. `easy-first`: by difficulty, which is 1 − the share of a task's attempts that succeeded, over
   * all attempts in the store with a verdict; tasks without a verdict come last. `short-first`: by steps of the agent.
   */
  order: z.enum(["best", "easy-first", "short-first"]).optional(),
});

export type Mix = z.infer<typeof mixSchema>;

export interface Mixed {
  readonly id: string;
  readonly taskKey: string;
  readonly domain: string;
  readonly agentSteps: number;
}

export interface MixCaps extends Mix {
  readonly perTask?: number | undefined;
  readonly limit?: number | undefined;
}

interface MixFacts {
  /** Estimated tokens; asked for only where there is a budget. */
  readonly tokens: (id: string) => number;
  /** 0 to 1; null where nobody knows. */
  readonly difficulty: (taskKey: string) => number | null;
}

/**
 * Applies the caps to rows that come best first: per task, then the share of a domain together with the limit, then
 * tokens, then the order. What is left out is told by reason.
 */
export function mix<T extends Mixed>(
  rows: readonly T[],
  {
    caps,
    facts,
    leftOut,
  }: { readonly caps: MixCaps; readonly facts: MixFacts; readonly leftOut: (reason: string) => void },
): readonly T[] {
  const { perTask = Number.POSITIVE_INFINITY, limit = Number.POSITIVE_INFINITY } = caps;
  const { tokenBudget = Number.POSITIVE_INFINITY, maxDomainShare: share = 1 } = caps;
  const ofTask = new Counter();
  const open = rows.filter(({ taskKey }) => {
    if (ofTask.add(taskKey) <= perTask) return true;
    leftOut("enough of its task");
    return false;
  });
  const size = share === 1 ? limit : sizeWithin(open, { share, limit });
  const quota = share === 1 ? Number.POSITIVE_INFINITY : quotaOf(share, size);
  const ofDomain = new Counter();
  let tokens = 0;
  const taken: T[] = [];
  for (const row of open) {
    if (ofDomain.of(row.domain) >= quota) leftOut("enough of its domain");
    else if (ofDomain.total >= size) leftOut("over the limit");
    else {
      ofDomain.add(row.domain);
      const own = tokenBudget === Number.POSITIVE_INFINITY ? 0 : facts.tokens(row.id);
      if (tokens + own > tokenBudget) leftOut("over the token budget");
      else {
        tokens += own;
        taken.push(row);
      }
    }
  }
  return ordered(taken, caps.order, facts);
}

/**
 * The largest number of rows of which no domain has more than its share. Domains' quotas follow from the number and
 * the number from what the quotas leave, so it is lowered until both agree; 0 where there are too few domains.
 */
function sizeWithin(
  rows: readonly Mixed[],
  { share, limit }: { readonly share: number; readonly limit: number },
): number {
  const counts = new Counter();
  for (const { domain } of rows) counts.add(domain);
  for (let size = Math.min(rows.length, limit); size > 0; ) {
    const quota = quotaOf(share, size);
    const reached = counts.values().reduce((sum, count) => sum + Math.min(count, quota), 0);
    if (reached >= size) return size;
    size = reached;
  }
  return 0;
}

/** 0.29 of 100 is 29, whatever binary fractions say. */
function quotaOf(share: number, size: number): number {
  return Math.floor(share * size + 1e-9);
}

function ordered<T extends Mixed>(rows: readonly T[], order: Mix["order"], facts: MixFacts): readonly T[] {
  if (order === undefined || order === "best") return rows;
  const key = (row: T): number =>
    order === "short-first" ? row.agentSteps : (facts.difficulty(row.taskKey) ?? Number.POSITIVE_INFINITY);
  // The sort is stable: among equals the best stays first.
  return rows
    .map((row) => ({ row, key: key(row) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ row }) => row);
}

class Counter {
  readonly #counts = new Map<string, number>();
  total = 0;

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** Gives how many there are with it. */
  add(key: string): number {
    const count = this.of(key) + 1;
    this.#counts.set(key, count);
    this.total += 1;
    return count;
  }

  values(): readonly number[] {
    return [...this.#counts.values()];
  }
}
