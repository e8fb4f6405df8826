import { type Similarity, similarity } from "./jaccard.ts";
import { bucketsOf, type LshPlan } from "./lsh.ts";
import type { Shingles } from "./shingles.ts";
import { UnionFind } from "./union-find.ts";

/** Trajectories by their place in the ranking, 0 the best. */
export interface Cluster {
  readonly representative: number;
  /** Each is at least as similar to the representative as the threshold says. */
  readonly members: readonly { readonly index: number; readonly similarity: Similarity }[];
}

export interface Clustering {
  readonly clusters: readonly Cluster[];
  /** Pairs that shared a bucket, each band counted. */
  readonly candidates: number;
  /** Pairs whose exact similarity was computed. */
  readonly checked: number;
}

/** A trajectory is compared with so many of each of its buckets, the best ones first. */
export const LEADERS = 16;
/** So many representatives come out of one group of trajectories that hang together. */
const ROUNDS = 16;

/**
 * Clusters of near-duplicates. Candidates come from the buckets, each is verified by its exact similarity, and what
 * hangs together by verified pairs is one group. Then the best of a group takes those that are similar to itself, the
 * best of the rest does the same, and so on: a chain of small changes does not make duplicates of its ends. At most
 * bands × 16 + 16 comparisons are made for each trajectory, however many there are.
 * @param shingles the best one first, as `signatures`
 */
export function clustersOf(
  shingles: readonly Shingles[],
  options: { readonly signatures: Int32Array; readonly plan: LshPlan; readonly threshold: number },
): Clustering {
  const { signatures, plan, threshold } = options;
  const sets = new UnionFind(shingles.length);
  const unlike = new Set<number>();
  let candidates = 0;
  let checked = 0;
  const compare = (a: number, b: number): Similarity => {
    checked += 1;
    const [one, other] = [shingles[a], shingles[b]];
    if (one === undefined || other === undefined) throw new RangeError(`no trajectory ${a} or ${b}`);
    return similarity(one, other);
  };
  for (let band = 0; band < plan.bands; band += 1) {
    for (const bucket of bucketsOf(signatures, { band, rows: plan.rows })) {
      for (const [place, index] of bucket.entries()) {
        for (const leader of bucket.slice(0, Math.min(place, LEADERS))) {
          candidates += 1;
          const pair = leader * shingles.length + index;
          if (sets.find(leader) === sets.find(index) || unlike.has(pair)) continue;
          if (compare(leader, index).value >= threshold) sets.union(leader, index);
          else unlike.add(pair);
        }
      }
    }
  }
  const clusters: Cluster[] = [];
  for (const group of groupsOf(sets, shingles.length)) {
    let rest = group;
    for (let round = 0; round < ROUNDS && rest.length > 1; round += 1) {
      const [representative = 0, ...others] = rest;
      const compared = others.map((index) => ({ index, similarity: compare(representative, index) }));
      const members = compared.filter((each) => each.similarity.value >= threshold);
      if (members.length > 0) clusters.push({ representative, members });
      rest = compared.filter((each) => each.similarity.value < threshold).map(({ index }) => index);
    }
  }
  return { clusters, candidates, checked };
}

function groupsOf(sets: UnionFind, count: number): Iterable<readonly number[]> {
  const groups = new Map<number, number[]>();
  for (let index = 0; index < count; index += 1) {
    const root = sets.find(index);
    if (root === index) continue;
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [root, index]);
    else group.push(index);
  }
  return groups.values();
}
