import type { Interval } from "../statistics/result.ts";
import { tallies } from "./tally.ts";
import type { PairRecord, Vote } from "./vote.ts";

export interface VotedPreference {
  readonly taskId: string;
  readonly chosenId: string;
  readonly rejectedId: string;
  /** How many voted on the pair, skips aside. */
  readonly votes: number;
  /** Share of these that preferred the chosen one; a tie is a vote that did not. */
  readonly share: number;
  /** Wilson's interval of the share. */
  readonly interval: Interval;
}

/**
 * What votes prefer, in the order of the pairs: of pairs with at least `minVotes` votes (skips aside) those of which
 * more than half, and at least `minAgreement`, preferred the same trajectory.
 */
export function votedPreferences(
  pairs: readonly PairRecord[],
  votes: readonly Vote[],
  { minVotes, minAgreement }: { readonly minVotes: number; readonly minAgreement: number },
): readonly VotedPreference[] {
  return tallies(pairs, votes).flatMap(({ record, majority, agreement }) => {
    if (majority === undefined || agreement.value === null) return [];
    const { value: share, n, interval } = agreement;
    if (n < minVotes || share <= 0.5 || share < minAgreement) return [];
    const [chosenId, rejectedId] =
      majority === "left" ? [record.left_id, record.right_id] : [record.right_id, record.left_id];
    return [{ taskId: record.task_id, chosenId, rejectedId, votes: n, share, interval }];
  });
}
