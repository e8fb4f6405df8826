import type { BootstrapOptions } from "../statistics/bootstrap.ts";
import { krippendorffAlpha } from "../statistics/krippendorff-alpha.ts";
import type { Estimate } from "../statistics/result.ts";
import { choicesByPair } from "./tally.ts";
import type { PairRecord, Vote } from "./vote.ts";

/** A tie stands between the two sides, so it disagrees by half with either. */
const PLACES: Readonly<Record<Exclude<Vote["choice"], "skip">, number>> = { left: 0, tie: 0.5, right: 1 };

export interface VoterAgreement {
  /** Krippendorff's alpha over pairs that at least two voted on: 1 all agree, 0 as by chance. */
  readonly alpha: Estimate;
  /** By voter, sorted by name: how often their choice was that of most others on the pair. */
  readonly voters: readonly {
    readonly voter: string;
    /** Votes, skips aside. */
    readonly votes: number;
    /** Pairs on which most others preferred one side, and share of them on which this voter chose it. */
    readonly withMajority: { readonly agreed: number; readonly of: number };
  }[];
}

/** How far voters agree; skips do not count. The bootstrap of alpha's interval draws pairs. */
export function voterAgreement(
  pairs: readonly PairRecord[],
  votes: readonly Vote[],
  options: BootstrapOptions,
): VoterAgreement {
  const units: number[][] = [];
  const found = new Map<string, { votes: number; agreed: number; of: number }>();
  for (const choices of choicesByPair(pairs, votes).values()) {
    const cast = [...choices].flatMap(([voter, choice]) =>
      choice === "skip" ? [] : [{ voter, place: PLACES[choice] }],
    );
    units.push(cast.map(({ place }) => place));
    for (const { voter, place } of cast) {
      const figures = found.get(voter) ?? { votes: 0, agreed: 0, of: 0 };
      found.set(voter, figures);
      figures.votes += 1;
      const others = cast.filter((each) => each.voter !== voter).map((each) => each.place);
      const side = sideOf(others);
      if (side === undefined) continue;
      figures.of += 1;
      if (place === side) figures.agreed += 1;
    }
  }
  const voters = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    alpha: krippendorffAlpha(units, options),
    voters: voters.map(([voter, { votes: count, agreed, of }]) => ({
      voter,
      votes: count,
      withMajority: { agreed, of },
    })),
  };
}

/** The side that more of these prefer than the other. */
function sideOf(places: readonly number[]): number | undefined {
  const lean = places.reduce((sum, place) => sum + place - 0.5, 0);
  return lean === 0 ? undefined : lean < 0 ? 0 : 1;
}
