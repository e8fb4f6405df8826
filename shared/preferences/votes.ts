import { z } from "zod";
import type { Attempt, AttemptPair } from "./attempt.ts";
import { Counts } from "./counts.ts";

/** What people, or a judge that compares two attempts, said of a pair. */
export interface VotedPair {
  readonly taskId: string;
  readonly chosenId: string;
  readonly rejectedId: string;
  /** How many voted. */
  readonly votes: number;
  /** Share of them that preferred the chosen one, in [0, 1]. */
  readonly share: number;
  readonly source: "votes" | "judge";
}

/** One line of a file of votes. */
export const votedPairSchema = z
  .strictObject({
    task_id: z.string(),
    chosen_id: z.string().min(1),
    rejected_id: z.string().min(1),
    votes: z.int().positive().default(1),
    share: z.number().min(0).max(1).default(1),
    source: z.enum(["votes", "judge"]).default("votes"),
  })
  .transform(
    (row): VotedPair => ({
      taskId: row.task_id,
      chosenId: row.chosen_id,
      rejectedId: row.rejected_id,
      votes: row.votes,
      share: row.share,
      source: row.source,
    }),
  );

export interface ResolvedVotes {
  /** One pair for each two attempts that were voted on, in the order of the votes. */
  readonly pairs: readonly AttemptPair[];
  /** `unorderedKey` of every two attempts that votes decided on. */
  readonly decided: ReadonlySet<string>;
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * Adds up the votes on each two attempts; the majority decides. People go before a judge. Who is preferred by votes is
 * chosen even where its reward is lower, which is counted as a conflict. Even votes decide nothing.
 */
export function resolveVotes(attempts: readonly Attempt[], voted: readonly VotedPair[]): ResolvedVotes {
  const counts = new Counts();
  if (voted.length === 0) return { pairs: [], decided: new Set(), counts: {} };
  const byId = new Map(attempts.map((attempt) => [attempt.id, attempt]));
  const ballots = new Map<string, Ballot>();
  for (const each of voted) {
    const [chosen, rejected] = [byId.get(each.chosenId), byId.get(each.rejectedId)];
    if (chosen === undefined || rejected === undefined) counts.add("names no attempt at the task");
    else if (chosen === rejected) counts.add("names one attempt twice");
    else ballotOf(ballots, chosen, rejected).add(each);
  }
  const pairs: AttemptPair[] = [];
  const decided = new Set<string>();
  for (const [key, ballot] of ballots) {
    const pair = ballot.decision();
    if (pair === undefined) {
      counts.add("even");
      continue;
    }
    decided.add(key);
    pairs.push(pair);
    counts.add(agreement(pair));
  }
  return { pairs, decided, counts: counts.record() };
}

/** The same for two ids in either order. */
export function unorderedKey(a: string, b: string): string {
  return a < b ? `${a}\u0000${b}` : `${b}\u0000${a}`;
}

function agreement({ chosen, rejected }: AttemptPair): string {
  if (chosen.reward < rejected.reward) return CONFLICT;
  return chosen.reward > rejected.reward ? "with the rewards" : "between equal rewards";
}

export const CONFLICT = "against the rewards";

function ballotOf(ballots: Map<string, Ballot>, first: Attempt, second: Attempt): Ballot {
  const key = unorderedKey(first.id, second.id);
  const ballot = ballots.get(key) ?? new Ballot(first, second);
  ballots.set(key, ballot);
  return ballot;
}

/** All votes on two attempts. */
class Ballot {
  readonly #first: Attempt;
  readonly #second: Attempt;
  readonly #tallies = { votes: { all: 0, first: 0 }, judge: { all: 0, first: 0 } };

  constructor(first: Attempt, second: Attempt) {
    this.#first = first;
    this.#second = second;
  }

  add({ chosenId, votes, share, source }: VotedPair): void {
    const tally = this.#tallies[source];
    tally.all += votes;
    tally.first += chosenId === this.#first.id ? votes * share : votes * (1 - share);
  }

  decision(): AttemptPair | undefined {
    for (const source of ["votes", "judge"] as const) {
      const { all, first } = this.#tallies[source];
      const share = all === 0 ? 0.5 : first / all;
      // Shares come rounded, so an even vote may miss one half by a little.
      if (Math.abs(share - 0.5) < 1e-9) continue;
      const [chosen, rejected] = share > 0.5 ? [this.#first, this.#second] : [this.#second, this.#first];
      return { chosen, rejected, source, vote: { votes: all, share: Math.max(share, 1 - share) } };
    }
    return undefined;
  }
}
