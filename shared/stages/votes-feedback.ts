import { votesSource } from "../contracts/feedback.ts";
import type { Catalog } from "../ports/catalog.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { choiceFor } from "../votes/vote.ts";
import { pairsOf, votesOn } from "./store-votes.ts";

/**
 * Gives what voters think of the trajectories of these pairs as feedback: of each voter the share of his or her votes on
 * a trajectory that went for it, over all pairs in the store, where a tie counts half and a skipped pair not at all. What
 * counts is what stands in the store, so it may be repeated.
 */
export async function feedbackFromVotes(
  pairIds: Iterable<string>,
  { store, catalog }: { readonly store: ObjectStore; readonly catalog: Catalog },
): Promise<void> {
  const ids = new Set<string>();
  for (const pairId of pairIds) {
    const found = await votesOn(pairId, store);
    if (found !== undefined) ids.add(found.record.left_id).add(found.record.right_id);
  }
  for (const id of [...ids].sort()) {
    for (const [voter, score] of await sharesOf(id, store)) {
      await catalog.setFeedback(id, { source: votesSource(voter), score });
    }
  }
}

/** By voter; null where a voter skipped all pairs. */
async function sharesOf(id: string, store: ObjectStore): Promise<ReadonlyMap<string, number | null>> {
  const counts = new Map<string, { points: number; votes: number }>();
  for (const pairId of await pairsOf(id, store)) {
    const found = await votesOn(pairId, store);
    if (found === undefined) continue;
    const { record, votes } = found;
    const own = record.left_id === id ? "left" : "right";
    for (const vote of votes) {
      const count = counts.get(vote.voter) ?? { points: 0, votes: 0 };
      counts.set(vote.voter, count);
      const choice = choiceFor(record, vote);
      if (choice === undefined || choice === "skip") continue;
      count.votes += 1;
      count.points += choice === own ? 1 : choice === "tie" ? 0.5 : 0;
    }
  }
  return new Map(
    [...counts].map(([voter, { points, votes }]) => [voter, votes === 0 ? null : points / votes] as const),
  );
}
