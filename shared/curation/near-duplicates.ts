import { boilerplateOf } from "./boilerplate.ts";
import { clustersOf } from "./clusters.ts";
import type { DuplicateCluster, DuplicatesReport } from "./duplicates-report.ts";
import { lshPlan } from "./lsh.ts";
import { minhash, PERMUTATIONS } from "./minhash.ts";
import { type Shingles, shinglesOf } from "./shingles.ts";
import type { TrajectoryTrace } from "./trace.ts";

/** Two trajectories are near-duplicates from this similarity on, unless another one is asked for. */
export const NEAR = 0.85;

/** What says which of several near-duplicates stands for the others. */
export interface Ranked {
  readonly id: string;
  readonly reward: number | null;
  readonly success: boolean | null;
  readonly redactions: number;
}

/** The best one first: by reward, then verdict, then the fewest redactions, then id. */
export function compareRank(a: Ranked, b: Ranked): number {
  return (
    (b.reward ?? -1) - (a.reward ?? -1) ||
    verdictRank(b) - verdictRank(a) ||
    a.redactions - b.redactions ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

function verdictRank({ success }: Ranked): number {
  return success === true ? 2 : success === null ? 1 : 0;
}

/**
 * Takes traces one by one and finds the near-duplicates among them. Held for each trajectory: its trace until all are
 * there, then 512 bytes of signature and four bytes a feature. The result does not depend on the order.
 */
export class NearDuplicates {
  readonly #threshold: number;
  readonly #taken: { readonly facts: Ranked; readonly trace: TrajectoryTrace }[] = [];

  /** @param threshold above 0, at most 1 */
  constructor(threshold = NEAR) {
    if (!(threshold > 0 && threshold <= 1)) {
      throw new RangeError(`near-duplicates need a similarity above 0 and at most 1, not ${threshold}`);
    }
    this.#threshold = threshold;
  }

  add(facts: Ranked, trace: TrajectoryTrace): void {
    const { id, reward, success, redactions } = facts;
    this.#taken.push({ facts: { id, reward, success, redactions }, trace });
  }

  /** Gives the traces away; call it once, when all are there. */
  report(): DuplicatesReport {
    const taken = this.#taken.splice(0).sort((a, b) => compareRank(a.facts, b.facts));
    const isBoilerplate = boilerplateOf(taken.map(({ trace }) => trace));
    const ids: string[] = [];
    const shingles: Shingles[] = [];
    const trajectories = taken.length;
    const all = new Int32Array(trajectories * PERMUTATIONS);
    let features = 0;
    // Taken from the end, so that each trace can go as soon as it was read.
    for (let item = taken.pop(); item !== undefined; item = taken.pop()) {
      const found = shinglesOf(item.trace, isBoilerplate);
      const size = found.actions.length + found.outputs.length;
      if (size === 0) continue;
      features += size;
      ids.push(item.facts.id);
      shingles.push(found);
    }
    ids.reverse();
    shingles.reverse();
    for (const [index, found] of shingles.entries()) {
      minhash(found, all.subarray(index * PERMUTATIONS, (index + 1) * PERMUTATIONS));
    }
    const plan = lshPlan(this.#threshold);
    const signatures = all.subarray(0, shingles.length * PERMUTATIONS);
    const { clusters, candidates, checked } = clustersOf(shingles, {
      signatures,
      plan,
      threshold: this.#threshold,
    });
    const named = clusters.map(
      ({ representative, members }): DuplicateCluster => ({
        representative: ids[representative] ?? "",
        members: members.map(({ index, similarity: { value, actions, outputs } }) => ({
          id: ids[index] ?? "",
          similarity: value,
          actions,
          outputs,
        })),
      }),
    );
    return {
      schema: "gymline.duplicates.v1",
      threshold: this.#threshold,
      lsh: { permutations: PERMUTATIONS, ...plan },
      trajectories,
      featureless: trajectories - shingles.length,
      candidates,
      checked,
      duplicates: named.reduce((sum, { members }) => sum + members.length, 0),
      bytes: all.byteLength + 4 * features,
      clusters: named,
    };
  }
}
