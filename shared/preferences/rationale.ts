import { round4 } from "../reward/rounding.ts";
import { type AttemptPair, marginOf } from "./attempt.ts";

/** One fact that speaks for, or against, the choice. Differences are chosen minus rejected. */
export type PairFact =
  | { readonly fact: "reward"; readonly difference: number }
  | { readonly fact: "outcome"; readonly chosen: boolean; readonly rejected: boolean }
  | { readonly fact: "outcome_score"; readonly difference: number }
  | { readonly fact: "steps"; readonly difference: number }
  | { readonly fact: "votes" | "judge"; readonly votes: number; readonly share: number };

/** Why one attempt is preferred, as facts in the order of their weight; what is not known is not there. */
export function pairFacts(pair: AttemptPair): readonly PairFact[] {
  const { chosen, rejected, source, vote } = pair;
  const facts: PairFact[] = [];
  if (vote !== undefined && source !== "reward") {
    facts.push({ fact: source, votes: vote.votes, share: round4(vote.share) });
  }
  facts.push({ fact: "reward", difference: round4(marginOf(pair)) });
  if (chosen.success !== null && rejected.success !== null) {
    facts.push({ fact: "outcome", chosen: chosen.success, rejected: rejected.success });
  }
  if (chosen.outcomeScore !== null && rejected.outcomeScore !== null) {
    facts.push({ fact: "outcome_score", difference: round4(chosen.outcomeScore - rejected.outcomeScore) });
  }
  if (chosen.steps !== null && rejected.steps !== null && chosen.steps !== rejected.steps) {
    facts.push({ fact: "steps", difference: chosen.steps - rejected.steps });
  }
  return facts;
}
