import { pairRecord } from "../../shared/votes/choose-pairs.ts";
import type { PairRecord, Vote } from "../../shared/votes/vote.ts";
import { idOf } from "../factories/catalog-rows.ts";

/** A pair of attempts `a` and `b` at a task, `a` on the left. */
export function makePair(a: string, b: string, taskKey = "task"): PairRecord {
  const record = pairRecord({ taskKey, ids: [idOf(a), idOf(b)] }, 1);
  return { ...record, left_id: idOf(a), right_id: idOf(b) };
}

export function makeVote(
  pair: PairRecord,
  voter: string,
  choice: Vote["choice"],
  more: Partial<Vote> = {},
): Vote {
  return {
    schema: "gymline.vote.v1",
    pair_id: pair.pair_id,
    voter,
    choice,
    at: "2026-02-01T12:00:00Z",
    ...more,
  };
}

/** Votes of as many voters: `lrts` are left, right, tie and skip. */
export function makeVotes(pair: PairRecord, choices: string): readonly Vote[] {
  const names = { l: "left", r: "right", t: "tie", s: "skip" } as const;
  return [...choices].map((letter, index) => {
    const choice = Object.entries(names).find(([name]) => name === letter)?.[1] ?? "skip";
    return makeVote(pair, `v${index}`, choice);
  });
}
