import type { Estimate, LevelOption } from "../statistics/result.ts";
import { proportion } from "../statistics/wilson.ts";
import { choiceFor, type PairRecord, type Vote } from "./vote.ts";

/** All votes on one pair. */
export interface PairTally {
  readonly record: PairRecord;
  readonly left: number;
  readonly right: number;
  readonly tie: number;
  readonly skip: number;
  /** undefined: as many for the one as for the other. */
  readonly majority: "left" | "right" | undefined;
  /**
   * Of those who preferred one, the share that preferred the majority's (the left one where there is none), with
   * Wilson's interval; ties and skips do not count.
   */
  readonly share: Estimate;
  /** The same over all but skips, a tie counting as a vote against: what an agreement is held against. */
  readonly agreement: Estimate;
}

/**
 * Adds up votes by pair, in the order of the pairs; pairs without votes are left out. Of several votes of one voter on
 * one pair the latest counts, and votes on other pairs do not.
 */
export function tallies(
  pairs: readonly PairRecord[],
  votes: readonly Vote[],
  options: LevelOption = {},
): readonly PairTally[] {
  const cast = choicesByPair(pairs, votes);
  return pairs.flatMap((record) => {
    const choices = [...(cast.get(record.pair_id)?.values() ?? [])];
    return choices.length === 0 ? [] : [tallyOf(record, choices, options)];
  });
}

function tallyOf(record: PairRecord, choices: readonly Vote["choice"][], options: LevelOption): PairTally {
  const count = (choice: Vote["choice"]): number => choices.filter((each) => each === choice).length;
  const [left, right, tie, skip] = [count("left"), count("right"), count("tie"), count("skip")];
  const most = Math.max(left, right);
  return {
    record,
    left,
    right,
    tie,
    skip,
    majority: left === right ? undefined : left > right ? "left" : "right",
    share: proportion(most, left + right, options),
    agreement: proportion(most, left + right + tie, options),
  };
}

/** Who chose what, by pair and voter; the choice as the record's sides mean it. */
export function choicesByPair(
  pairs: readonly PairRecord[],
  votes: readonly Vote[],
): ReadonlyMap<string, ReadonlyMap<string, Vote["choice"]>> {
  const records = new Map(pairs.map((record) => [record.pair_id, record]));
  const inOrder = [...votes].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const cast = new Map<string, Map<string, Vote["choice"]>>();
  for (const vote of inOrder) {
    const record = records.get(vote.pair_id);
    const choice = record === undefined ? undefined : choiceFor(record, vote);
    if (choice === undefined) continue;
    const voters = cast.get(vote.pair_id) ?? new Map<string, Vote["choice"]>();
    cast.set(vote.pair_id, voters.set(vote.voter, choice));
  }
  return cast;
}
