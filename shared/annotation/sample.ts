import { createHash } from "node:crypto";
import type { CatalogEntry } from "../contracts/catalog-row.ts";

/** What trajectories can be told apart by before some of them are drawn. `score`: the third of the rewards. */
export const strataNames = ["domain", "success", "score"] as const;
export type StratumName = (typeof strataNames)[number];

export interface SampleRequest {
  readonly size: number;
  readonly seed: number;
  readonly strata: readonly StratumName[];
  /** Within a stratum, rewards near the middle (0.5) come first. */
  readonly uncertain: boolean;
}

export type Sampled = Pick<CatalogEntry, "id" | "domain" | "success" | "reward">;

export interface Sample {
  /** In an order that says nothing about stratum or reward. */
  readonly ids: readonly string[];
  readonly strata: readonly { readonly name: string; readonly of: number; readonly taken: number }[];
}

/**
 * Draws a stratified sample: every stratum gets at least one and the rest in proportion to its size (largest
 * remainders). With more strata than places, the largest strata get one each. Who is drawn from a stratum, and the
 * order of all, follows from a hash of seed and id: the same seed gives the same sample, and a larger sample of the
 * same strata holds the smaller one's trajectories of each.
 */
export function stratifiedSample(entries: readonly Sampled[], request: SampleRequest): Sample {
  const { size, seed, uncertain } = request;
  const strata = [...groups(entries, request.strata)].sort(([a], [b]) => (a < b ? -1 : 1));
  const counts = allocation(
    strata.map(([, members]) => members.length),
    size,
  );
  const drawn = strata.map(([name, members], index) => {
    const ranked = members.map((entry) => ({ entry, order: seededOrder(seed, entry.id) }));
    ranked.sort(
      (a, b) => (uncertain ? farness(a.entry) - farness(b.entry) : 0) || compared(a.order, b.order),
    );
    const taken = ranked.slice(0, counts[index]);
    return { name, of: members.length, taken };
  });
  const all = drawn.flatMap(({ taken }) => taken).sort((a, b) => compared(a.order, b.order));
  return {
    ids: all.map(({ entry }) => entry.id),
    strata: drawn.map(({ name, of, taken }) => ({ name, of, taken: taken.length })),
  };
}

/** One that has no reward is farther from the middle than any that has. */
function farness({ reward }: Sampled): number {
  return reward === null ? 1 : Math.abs(reward - 0.5);
}

function groups(
  entries: readonly Sampled[],
  strata: readonly StratumName[],
): ReadonlyMap<string, readonly Sampled[]> {
  const third = thirds(entries);
  const parts: Readonly<Record<StratumName, (entry: Sampled) => string>> = {
    domain: (entry) => entry.domain,
    success: ({ success }) => (success === null ? "no verdict" : success ? "solved" : "not solved"),
    score: ({ reward }) => third(reward),
  };
  const found = new Map<string, Sampled[]>();
  for (const entry of entries) {
    const name = strata.map((stratum) => parts[stratum](entry)).join(", ");
    const members = found.get(name);
    if (members === undefined) found.set(name, [entry]);
    else members.push(entry);
  }
  return found;
}

/** Which third of the rewards one is in, by its mean rank; so equal rewards are in the same, all equal in the middle. */
function thirds(entries: readonly Sampled[]): (reward: number | null) => string {
  const counts = new Map<number, number>();
  for (const { reward } of entries) if (reward !== null) counts.set(reward, (counts.get(reward) ?? 0) + 1);
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const found = new Map<number | null, string>();
  let below = 0;
  for (const [reward, count] of [...counts].sort(([a], [b]) => a - b)) {
    const rank = (below + count / 2) / all;
    found.set(reward, rank < 1 / 3 ? "low reward" : rank < 2 / 3 ? "middle reward" : "high reward");
    below += count;
  }
  return (reward) => found.get(reward) ?? "no reward";
}

/** How many of each stratum: at most its size, at least one while there are places, in sum `size` where possible. */
export function allocation(sizes: readonly number[], size: number): readonly number[] {
  const total = sizes.reduce((sum, each) => sum + each, 0);
  const wanted = Math.min(size, total);
  const largestFirst = sizes
    .map((_, index) => index)
    .sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0) || a - b);
  const counts = sizes.map(() => 0);
  const nonEmpty = largestFirst.filter((index) => (sizes[index] ?? 0) > 0);
  for (const index of nonEmpty.slice(0, wanted)) counts[index] = 1;
  let left = wanted - Math.min(wanted, nonEmpty.length);
  // Whoever is farthest below its share is next: the method of largest remainders with a least count of one.
  while (left > 0) {
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (const index of largestFirst) {
      const [has, of] = [counts[index] ?? 0, sizes[index] ?? 0];
      const lack = (of * wanted) / total - has;
      if (has < of && lack > most) [best, most] = [index, lack];
    }
    counts[best] = (counts[best] ?? 0) + 1;
    left -= 1;
  }
  return counts;
}

function seededOrder(seed: number, id: string): string {
  return createHash("sha256").update(`${seed}\n${id}`).digest("hex");
}

function compared(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
