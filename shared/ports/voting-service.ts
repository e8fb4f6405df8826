import type { Pair } from "../votes/vote.ts";

/** One page of votes. They are checked one by one by whoever takes them in. */
export interface VotePage {
  readonly votes: readonly unknown[];
  /** Where to go on after this page; null: the service names no place. */
  readonly next: string | null;
}

/** Where people, or judges, vote on pairs. */
export interface VotingService {
  /** Hands pairs over; a pair that it has already is left as it is. */
  push(pairs: readonly Pair[]): Promise<void>;
  /** Votes that came after the place `since` (undefined: all), page by page. */
  votes(since: string | undefined): AsyncIterable<VotePage>;
}
