/** A scored attempt at a task: all that pairing needs of a trajectory, without its text. */
export interface Attempt {
  readonly id: string;
  /** Equal for attempts that did and saw the same; null where that is not known. */
  readonly contentId: string | null;
  readonly reward: number;
  /** Agent steps: what counts as its length. null: not known. */
  readonly steps: number | null;
  readonly success: boolean | null;
  /** Graded outcome in [0, 1], where the source has one. */
  readonly outcomeScore: number | null;
  /** What gave the reward. */
  readonly scorer: string | null;
  /** Equal for attempts whose rewards may be compared: of one scorer, and made up of the same layers. */
  readonly scale: string | null;
}

/** All attempts at one task. */
export interface TaskAttempts {
  readonly task: string;
  readonly attempts: readonly Attempt[];
}

/** What a preference rests on: rewards, people's votes, or a model that compared the two. */
export type PairSource = "reward" | "votes" | "judge";

/** How many voted, and which share of them for the chosen one, in (0.5, 1]. */
export interface VoteCount {
  readonly votes: number;
  readonly share: number;
}

/** One attempt preferred to another at the same task. */
export interface AttemptPair {
  readonly chosen: Attempt;
  readonly rejected: Attempt;
  readonly source: PairSource;
  /** Present where people or a judge decided. */
  readonly vote?: VoteCount;
}

/** Reward of the chosen minus that of the rejected; negative where votes went against the rewards. */
export function marginOf({ chosen, rejected }: Pick<AttemptPair, "chosen" | "rejected">): number {
  return chosen.reward - rejected.reward;
}
