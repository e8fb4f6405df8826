import { z } from "zod";
import { type BalancedGroup, balanced, bandOf, DIFFICULTY_BANDS } from "./balance.ts";

const BANDS: readonly string[] = DIFFICULTY_BANDS;

/** How many of what passed the filters are taken, and in which order they stand. */
export const mixSchema = z
  .strictObject({
    /** No domain makes up more than this share of the rows. */
    maxDomainShare: z.number().gt(0).max(1).optional(),
    /**
     * What gets equal shares of the rows, or those of `shares`: domains, or bands of difficulty (`easy`, `medium`, `hard`,
     * `unknown`; see `bandOf`). With a limit or token budget as far as the supply allows, without one exactly.
     */
    balance: z.enum(["domain", "difficulty"]).optional(),
    /** Weights of the groups that `balance` means; groups that are not named stay out. */
    shares: z
      .record(z.string(), z.number().nonnegative())
      .refine((shares) => Object.values(shares).some((share) => share > 0), "one weight must be above 0")
      .optional(),
    /** At most so many tokens in all, by the tokenizer of the request or else by an estimate from characters. */
    tokenBudget: z.int().positive().optional(),
    /**
     * `best`: by reward. `gdi`: by the GDI at the moment of the export, which then also decides who gets in. `easy-first`:
     * by difficulty, which is 1 − the share of a task's attempts that succeeded, over all attempts in the store with a
     * verdict; tasks without a verdict come last. `short-first`: by steps of the agent.
     */
    order: z.enum(["best", "gdi", "easy-first", "short-first"]).optional(),
  })
  .superRefine(({ balance, shares, maxDomainShare }, context) => {
    const fault = (path: string, message: string): void =>
      context.addIssue({ code: "custom", path: [path], message });
    if (shares !== undefined && balance === undefined) {
      fault("shares", "shares of what? Give `balance` too: domain or difficulty");
    }
    if (balance === "domain" && maxDomainShare !== undefined) {
      fault("maxDomainShare", "`balance` by domain sets the shares already; give one of the two");
    }
    const strange =
      balance === "difficulty" ? Object.keys(shares ?? {}).find((name) => !BANDS.includes(name)) : undefined;
    if (strange !== undefined) {
      fault("shares", `there is no difficulty "${strange}"; the bands are ${BANDS.join(", ")}`);
    }
  });

export type Mix = z.infer<typeof mixSchema>;

export interface Mixed {
  readonly id: string;
  readonly taskKey: string;
  readonly domain: string;
  readonly agentSteps: number;
  /** 0 to 1; there where the order goes by it. */
  readonly gdi?: number | null;
}

export interface MixCaps extends Mix {
  readonly perTask?: number | undefined;
  readonly limit?: number | undefined;
}

interface MixFacts {
  /** Asked for only where there is a budget. */
  readonly tokens: (id: string) => number;
  /** 0 to 1; null where nobody knows. */
  readonly difficulty: (taskKey: string) => number | null;
}

/** Whether the difficulty of tasks is needed, which takes the verdicts of all their attempts. */
export function goesByDifficulty(mix: Mix | undefined): boolean {
  return mix?.order === "easy-first" || mix?.balance === "difficulty";
}

/**
 * Applies the caps to rows that come best first: per task, then shares together with the limit, then tokens, then the
 * order. What is left out is told by reason.
 */
export function mix<T extends Mixed>(
  rows: readonly T[],
  {
    caps,
    facts,
    leftOut,
  }: { readonly caps: MixCaps; readonly facts: MixFacts; readonly leftOut: (reason: string) => void },
): { readonly rows: readonly T[]; readonly groups?: readonly BalancedGroup[] } {
  const { perTask = Number.POSITIVE_INFINITY } = caps;
  const ofTask = new Counter();
  const best = caps.order === "gdi" ? rows.toSorted((a, b) => (b.gdi ?? 0) - (a.gdi ?? 0)) : rows;
  const open = best.filter(({ taskKey }) => {
    if (ofTask.add(taskKey) <= perTask) return true;
    leftOut("enough of its task");
    return false;
  });
  if (caps.balance === undefined)
    return { rows: ordered(capped(open, { caps, facts, leftOut }), caps.order, facts) };
  const { balance, shares, limit = Number.POSITIVE_INFINITY, tokenBudget = Number.POSITIVE_INFINITY } = caps;
  const groupOf = ({ domain, taskKey }: Mixed): string =>
    balance === "domain" ? domain : bandOf(facts.difficulty(taskKey));
  const { taken, over, groups } = balanced(open, {
    groupOf,
    shares,
    limit,
    tokenBudget,
    tokens: facts.tokens,
  });
  const what = balance === "domain" ? "domain" : "difficulty";
  const wanted = new Set(groups.filter(({ weight }) => weight > 0).map(({ group }) => group));
  for (const row of open) {
    if (taken.has(row)) continue;
    if (!wanted.has(groupOf(row))) leftOut(`its ${what} has no share`);
    else if (over.has(row)) leftOut("over the token budget");
    else leftOut(taken.size >= limit ? "over the limit" : `enough of its ${what}`);
  }
  const kept = open.filter((row) => taken.has(row));
  return { rows: ordered(kept, caps.order, facts), groups };
}

/** Rows within the share of a domain, the limit and the token budget. */
function capped<T extends Mixed>(
  open: readonly T[],
  {
    caps,
    facts,
    leftOut,
  }: { readonly caps: MixCaps; readonly facts: MixFacts; readonly leftOut: (reason: string) => void },
): readonly T[] {
  const { limit = Number.POSITIVE_INFINITY, maxDomainShare: share = 1 } = caps;
  const { tokenBudget = Number.POSITIVE_INFINITY } = caps;
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
  return taken;
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
  if (order === undefined || order === "best" || order === "gdi") return rows;
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
