import type { Attempt, AttemptPair, TaskAttempts } from "./attempt.ts";
import { Counts } from "./counts.ts";
import { LengthTally } from "./length.ts";
import type { PairingOptions } from "./options.ts";
import { resolveVotes, unorderedKey, type VotedPair } from "./votes.ts";
import { countPairs, countTies, widestPairs } from "./widest-pairs.ts";

export interface TaskPairs {
  readonly task: string;
  /** Voted pairs first, then the widest margins. */
  readonly pairs: readonly AttemptPair[];
  /** Pairs that were not made, by reason. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** Votes and what became of them. */
  readonly votes: Readonly<Record<string, number>>;
  /** Lengths of the pairs that only the bound on their ratio keeps out, and of those that were kept. */
  readonly unboundedLengths: LengthTally;
}

/**
 * Pairs the attempts at one task. The same attempts in the same order give the same pairs; attempts with equal
 * rewards rank as they come.
 */
export function pairTask(
  { task, attempts }: TaskAttempts,
  options: PairingOptions,
  voted: readonly VotedPair[] = [],
): TaskPairs {
  const leftOut = new Counts();
  const lengths = new LengthTally();
  const pairs: AttemptPair[] = [];
  const contents = new PairedContents(attempts);
  const votes = resolveVotes(attempts, voted);
  const refusal = (pair: AttemptPair): string | undefined => {
    const reason = reasonAgainst(pair, options) ?? contents.reasonAgainst(pair);
    if (reason !== undefined) return reason;
    if (pairs.length === options.perTask) return OVER_CAP;
    lengths.add(pair);
    return isBeyondRatio(pair, options.maxLengthRatio) ? "lengths too different" : undefined;
  };
  const offer = (pair: AttemptPair): void => {
    const reason = refusal(pair);
    if (reason === undefined) {
      contents.note(pair);
      pairs.push(pair);
    } else leftOut.add(reason);
  };
  for (const pair of votes.pairs) offer(pair);
  const ranked = attempts.toSorted((a, b) => b.reward - a.reward);
  const isWide = wideEnough(options);
  const candidates = options.strategy === "outside-in" ? outsideIn(ranked) : allPairs(ranked, isWide);
  let looked = 0;
  for (const [chosen, rejected] of candidates) {
    looked += 1;
    if (votes.decided.has(unorderedKey(chosen.id, rejected.id))) leftOut.add("decided by votes instead");
    else if (chosen.reward === rejected.reward && options.ties === "never") leftOut.add(EQUAL);
    else if (!isWide(chosen.reward - rejected.reward)) leftOut.add(NARROW);
    else offer({ chosen, rejected, source: "reward" });
    if (options.strategy === "all-pairs" && pairs.length === options.perTask) break;
  }
  if (options.strategy === "all-pairs") countRest({ ranked, options, looked, leftOut });
  return {
    task,
    pairs,
    leftOut: leftOut.record(),
    votes: votes.counts,
    unboundedLengths: lengths,
  };
}

const EQUAL = "equal rewards";
const NARROW = "margin below the minimum";
const OVER_CAP = "enough pairs of its task";

function wideEnough({ margin, ties }: PairingOptions): (margin: number) => boolean {
  return (actual) => actual >= margin && (actual > 0 || ties === "first-wins");
}

/** Rank k with rank n−1−k; the middle one of an odd group has no partner. Each scale has a ranking of its own. */
function outsideIn(ranked: readonly Attempt[]): readonly (readonly [Attempt, Attempt])[] {
  const byScale = Map.groupBy(ranked, ({ scale }) => scale);
  const pairs = [...byScale.values()].flatMap((group) => {
    const half = Math.floor(group.length / 2);
    return Array.from({ length: half }, (_, rank) => [group[rank], group[group.length - 1 - rank]] as const);
  });
  return pairs
    .flatMap(([chosen, rejected]) =>
      chosen === undefined || rejected === undefined ? [] : [[chosen, rejected] as const],
    )
    .sort((a, b) => b[0].reward - b[1].reward - (a[0].reward - a[1].reward));
}

function* allPairs(
  ranked: readonly Attempt[],
  isWide: (margin: number) => boolean,
): Generator<readonly [Attempt, Attempt]> {
  const rewards = ranked.map(({ reward }) => reward);
  for (const [better, worse] of widestPairs(rewards, isWide)) {
    const [chosen, rejected] = [ranked[better], ranked[worse]];
    if (chosen !== undefined && rejected !== undefined) yield [chosen, rejected];
  }
}

/** Pairs of `all-pairs` that were never looked at are counted without making them. */
function countRest({
  ranked,
  options,
  looked,
  leftOut,
}: {
  readonly ranked: readonly Attempt[];
  readonly options: PairingOptions;
  readonly looked: number;
  readonly leftOut: Counts;
}): void {
  const rewards = ranked.map(({ reward }) => reward);
  const wide = countPairs(rewards, wideEnough(options));
  const ties = options.ties === "never" ? countTies(rewards) : 0;
  leftOut.add(OVER_CAP, wide - looked);
  leftOut.add(EQUAL, ties);
  leftOut.add(NARROW, (rewards.length * (rewards.length - 1)) / 2 - wide - ties);
}

function reasonAgainst(pair: AttemptPair, { verified }: PairingOptions): string | undefined {
  const { chosen, rejected, source } = pair;
  if (source === "reward" && chosen.scale !== rejected.scale) return "rewards of different scorers or layers";
  if (chosen.contentId !== null && chosen.contentId === rejected.contentId)
    return "same actions and observations";
  if (verified && !(chosen.success === true && rejected.success === false))
    return "outcomes not success and failure";
  return undefined;
}

function isBeyondRatio({ chosen, rejected }: AttemptPair, most: number | undefined): boolean {
  if (most === undefined) return false;
  // Where a length is not known, nothing says that the pair is within the bound.
  if (chosen.steps === null || rejected.steps === null) return true;
  return Math.max(chosen.steps, rejected.steps) > most * Math.min(chosen.steps, rejected.steps);
}

/**
 * Attempts may act alike and still be scored differently. Two texts are paired once, by the widest margin; a second
 * time would be a repetition, or say the opposite.
 */
class PairedContents {
  readonly #paired = new Set<string>();
  readonly #hasCopies: boolean;

  constructor(attempts: readonly Attempt[]) {
    const known = attempts.flatMap(({ contentId }) => contentId ?? []);
    this.#hasCopies = new Set(known).size < known.length;
  }

  reasonAgainst({ chosen, rejected }: AttemptPair): string | undefined {
    if (!this.#hasCopies || chosen.contentId === null || rejected.contentId === null) return undefined;
    return this.#paired.has(unorderedKey(chosen.contentId, rejected.contentId))
      ? "same actions and observations as another pair"
      : undefined;
  }

  note({ chosen, rejected }: AttemptPair): void {
    if (!this.#hasCopies || chosen.contentId === null || rejected.contentId === null) return;
    this.#paired.add(unorderedKey(chosen.contentId, rejected.contentId));
  }
}
